/* Links inside the room change the page without loading it again: the address changes, the router of the
   shell is told, and `sala:direccion` tells the open page when only the part after «?» is new.
   Plain clicks only: with a modifier key, in another window or to another place, the browser decides. */
(function () {
  "use strict";
  const OUTSIDE = /^\/(api|entrar|salir|oidc|salud|assets)(\/|$|\?)/;

  function announce() {
    window.dispatchEvent(new CustomEvent("sala:direccion"));
  }

  function go(href) {
    const here = new URL(window.location.href);
    const there = new URL(href, here);
    if (there.href === here.href) return;
    window.history.pushState({}, "", there.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    announce();
    if (there.pathname !== here.pathname) window.scrollTo(0, 0);
  }

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!link || link.hasAttribute("download") || (link.target && link.target !== "_self")) return;
    const there = new URL(link.href, window.location.href);
    if (there.origin !== window.location.origin || OUTSIDE.test(there.pathname)) return;
    // The jump to the content and other places of this same page are the browser's.
    if (there.hash && there.pathname === window.location.pathname) return;
    event.preventDefault();
    go(there.href);
  });
  window.addEventListener("popstate", announce);
  window.PREP = window.PREP || {};
  window.PREP.navigate = go;
})();
