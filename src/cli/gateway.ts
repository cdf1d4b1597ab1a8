import { readFileSync } from 'node:fs';
import { gatewaySettings, readGatewayConfig } from '../config/gateway-config.ts';
import { settingOptions } from '../config/settings.ts';
import { parseEndpoints } from '../gateway/static-endpoints.ts';
import { serveGateway } from '../main-gateway.ts';
import type { Command } from './command.ts';

export const gatewayCommand: Command = {
  options: settingOptions(gatewaySettings),
  examples: ['gpumix gateway --redis-url redis://redis:6379 --port 8080', 'gpumix gateway --endpoints endpoints.json'],
  run: async (argv, _, environment) => {
    const config = readGatewayConfig(argv, environment);
    // Later changes of the file may be broken; what it begins with must not.
    if (config.endpoints !== null) parseEndpoints(readFileSync(config.endpoints, 'utf8'), config.endpoints);
    await serveGateway(config);
    return 0;
  },
};
