// A page that shows work under way looks again by itself; one that leads elsewhere goes there.

const AGAIN_MS = 4000;
const here = document.querySelector("[data-again]");
if (here) setTimeout(() => location.reload(), AGAIN_MS);
document.querySelector("[data-go]")?.click();
