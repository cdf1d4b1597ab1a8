import { gatewaySettings, readGatewayConfig } from '../gateway-config.ts';
import { serveGateway } from '../main-gateway.ts';
import { settingOptions } from '../settings.ts';
import type { Command } from './command.ts';

export const gateway: Command = {
  options: settingOptions(gatewaySettings),
  run: async (argv) => {
    await serveGateway(readGatewayConfig(argv, process.env));
    return 0;
  },
};
