// What a client that was written for Statuspage makes of the site at the address that is given.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.SYNCMON_TEST_NODE_MODULES, '/'));
const { Statuspage } = require('statuspage.io');

const client = new Statuspage('syncmon');
client.setApiUrl(process.argv[2]);
console.log(
  JSON.stringify({
    summary: await client.api.getSummary(),
    status: await client.api.getStatus(),
    components: await client.api.getComponents(),
    incidents: await client.api.incidents.getAll(),
  }),
);
