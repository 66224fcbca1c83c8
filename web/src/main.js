// Begins: with the report in the page, or with the scenarios of a server.

import { inPage } from './data.js';
import { mountReport } from './report.js';
import { goLive } from './live.js';

const written = inPage();
if (written) {
  document.documentElement.classList.add('live');
  mountReport(written);
}
const host = document.getElementById('kneepoint-live');
if (host) goLive(host, JSON.parse(document.getElementById('kneepoint-scenarios').textContent));
