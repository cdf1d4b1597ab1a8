import { readConfig, settings } from '../config/serve-config.ts';
import { settingOptions } from '../config/settings.ts';
import { serve } from '../main.ts';
import type { Command } from './command.ts';

export const serveCommand: Command = {
  options: settingOptions(settings),
  examples: ['gpumix serve --redis-url redis://redis:6379 --headroom 0.2'],
  run: async (argv, _, environment) => {
    await serve(readConfig(argv, environment));
    return 0;
  },
};
