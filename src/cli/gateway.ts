import { gatewaySettings, readGatewayConfig } from '../config/gateway-config.ts';
import { settingOptions } from '../config/settings.ts';
import { serveGateway } from '../main-gateway.ts';
import type { Command } from './command.ts';

export const gatewayCommand: Command = {
  options: settingOptions(gatewaySettings),
  run: async (argv) => {
    await serveGateway(readGatewayConfig(argv, process.env));
    return 0;
  },
};
