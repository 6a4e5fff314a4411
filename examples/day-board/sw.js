// The page itself, for when there is no network; the day is kept by the client.
const SCRIPTS = ['day-board.js', 'booking.js', 'page.js', 'client/index.js', 'client/live.js', 'client/shared.js'];
const FILES = ['./', 'day-board.css', ...SCRIPTS];

addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open('page')
      .then((cache) => cache.addAll(FILES))
      .then(() => skipWaiting()),
  );
});
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  if (new URL(event.request.url).origin !== location.origin) return;
  event.respondWith(fetch(event.request).catch(() => caches.match(event.request, { ignoreSearch: true })));
});
