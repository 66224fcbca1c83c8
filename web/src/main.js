// Begins: with the report in the page, or with the scenarios of a server.

import { inPage } from './data.js';
import { mountReport } from './report.js';
import { inWorker, server } from './source.js';
import { goLive, goPlay } from './live.js';

/** When the file was written, as the file itself says: a report of the same runs is the same bytes on any day. */
function dated() {
  const place = document.querySelector('[data-mount="when"]');
  if (!place || location.protocol !== 'file:') return;
  const [date, time] = document.lastModified.split(' ');
  const [month, day, year] = date.split('/');
  place.textContent = `, written ${year}-${month}-${day} ${time.slice(0, 5)}`;
  place.hidden = false;
}

const written = inPage();
if (written) {
  document.documentElement.classList.add('live');
  mountReport(written);
  dated();
}
const host = document.getElementById('kneepoint-live');
if (host) {
  const scenarios = JSON.parse(document.getElementById('kneepoint-scenarios').textContent);
  if (host.dataset.module) goPlay(host, scenarios, inWorker(host.dataset.module));
  else goLive(host, scenarios, server());
}
