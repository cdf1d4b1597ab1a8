import { readConfig, settings } from '../config/serve-config.ts';
import { settingOptions } from '../config/settings.ts';
import { serve as run } from '../main.ts';
import type { Command } from './command.ts';

export const serve: Command = {
  options: settingOptions(settings),
  run: async (argv) => {
    await run(readConfig(argv, process.env));
    return 0;
  },
};
