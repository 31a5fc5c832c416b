// Search without a server: browsers start no Worker from a file:// address. This stands in for one
// with a hidden frame, which is all that the search of the theme asks for.
(() => {
  if (location.protocol !== "file:") return;
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.onmessage = null;
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.listener = (event) => {
        if (event.source !== this.frame.contentWindow) return;
        const message = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(message);
        if (this.onmessage) this.onmessage(message);
      };
      addEventListener("message", this.listener);
      const script = `
        const toParent = parent.postMessage.bind(parent);
        window.postMessage = (data) => toParent(data, "*");
        window.importScripts = (...addresses) => addresses.reduce((before, address) =>
          before.then(() => new Promise((done, failed) => {
            const script = document.createElement("script");
            script.src = address;
            script.onload = done;
            script.onerror = failed;
            document.body.appendChild(script);
          })), Promise.resolve());`;
      this.ready = new Promise((done) => this.frame.addEventListener("load", done));
      this.frame.srcdoc =
        `<!DOCTYPE html><base href="${new URL(address, location)}"><body><script>${script}<\/script>` +
        `<script src="${new URL(address, location)}"><\/script></body>`;
      document.body.appendChild(this.frame);
    }

    postMessage(data) {
      this.ready.then(() => {
        this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
      });
    }

    terminate() {
      removeEventListener("message", this.listener);
      this.frame.remove();
    }
  };
})();
