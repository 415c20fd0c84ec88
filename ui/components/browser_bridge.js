// Browser-side features: keyboard, clipboard, the notice of a lost connection.
const typing = (target) => target.closest?.("input:not([type=radio]), textarea, select, [contenteditable=true], .q-menu");
const KEPT = `typed:${location.pathname}`;
const DOUBT_MS = 30_000; // a lost line is noticed late: what was typed this shortly before may not have arrived
const prompt = () => document.getElementById("prompt");
const cutOff = () => window.did_handshake && !window.socket?.connected;
const MAX_SENT = 300_000; // characters of JSON; the server's limit is a megabyte
// JSON spells only halves of surrogate pairs as escapes: U+FFFF takes their place, which the server refuses with a sentence
const whole = (json) => json?.replace(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (escape, half) => (half ? "\\uffff" : escape));

export default {
  template: `<span hidden></span>`,
  props: { words: Object },
  mounted() {
    const popup = document.getElementById("popup");
    popup.setAttribute("role", "status");
    [this.words.lost, this.words.calm].forEach((text, i) => (popup.children[i].textContent = text));
    this.listeners = [
      [document, "keydown", this.key],
      [document, "click", this.click],
      [document, "input", this.typed],
      [document, "click", this.unsent, true],
    ];
    this.listeners.forEach(([on, name, listener, first]) => on.addEventListener(name, listener, first));
    this.waiting = setInterval(this.arrive, 100);
    requestAnimationFrame(this.goToTarget);
  },
  beforeUnmount() {
    clearInterval(this.waiting);
    window.socket?.off("disconnect", this.lost);
    window.socket?.off("connect", this.back);
    this.listeners.forEach(([on, name, listener, first]) => on.removeEventListener(name, listener, first));
  },
  methods: {
    typed(event) {
      if (event.target.id !== "prompt") return;
      this.typedAt = Date.now();
      cutOff() ? this.keep() : sessionStorage.removeItem(KEPT);
    },
    keep() {
      if (prompt()) sessionStorage.setItem(KEPT, prompt().value);
    },
    lost() {
      document.documentElement.dataset.cutOff = "";
      if (Date.now() - (this.typedAt ?? 0) < DOUBT_MS) this.keep();
    },
    back() {
      delete document.documentElement.dataset.cutOff;
    },
    arrive() {
      // once per page, when the server is connected: restore input that it never received
      if (!window.did_handshake || !window.socket?.connected) return;
      clearInterval(this.waiting);
      window.socket.on("disconnect", this.lost);
      window.socket.on("connect", this.back);
      this.guardSending(window.socket);
      const kept = sessionStorage.getItem(KEPT);
      if (kept === null || !prompt()) return;
      sessionStorage.removeItem(KEPT);
      if (prompt().value === kept) return;
      prompt().value = kept;
      prompt().dispatchEvent(new Event("input", { bubbles: true }));
    },
    goToTarget() {
      // the page is drawn by script, too late for the browser itself
      if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
      if (!sessionStorage.getItem("composing") || !document.querySelector(".r-composer")) return;
      sessionStorage.removeItem("composing"); // once, not at each reload
      rushes.showComposer();
    },
    guardSending(socket) {
      // The server drops an event that holds half a surrogate pair, and one too large ends the connection.
      const emit = socket.emit.bind(socket);
      socket.emit = (name, message, ...rest) => {
        const args = message?.args;
        if (name !== "event" || !Array.isArray(args)) return emit(name, message, ...rest);
        if (args.some((arg) => arg?.length > MAX_SENT)) return this.say(this.words.long, "long");
        return emit(name, { ...message, args: args.map(whole) }, ...rest);
      };
    },
    unsent(event) {
      if (!cutOff() || !event.target.closest?.("[data-act=generate]")) return;
      event.stopPropagation();
      this.keep();
      this.say(this.words.unsent, "unsent");
    },
    say(message, group) {
      Quasar.Notify.create({
        message,
        html: false,
        position: "bottom-right",
        timeout: 4000,
        group,
        badgeClass: "hidden",
        classes: "r-toast r-toast-calm",
        attrs: { role: "status" },
      });
    },
    key(event) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        const button = document.querySelector("[data-act=generate]");
        if (!button || document.querySelector(".q-dialog")) return;
        event.preventDefault();
        return button.click();
      }
      if (event.key === "Escape" && event.target.id === "prompt") return event.target.blur();
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (document.querySelector(".q-dialog")) return;
      const key = rushes.keyOf(event);
      if (event.shiftKey && /^[a-z]$/.test(key)) return;
      const act = this.acts()[key];
      if (act && act(event) !== false) event.preventDefault();
    },
    acts() {
      const onButton = (event) => event.target.closest("button, a, summary, video, [type=radio]");
      return {
        "/": () => document.getElementById("prompt")?.focus() ?? document.getElementById("prompt") !== null,
        "?": () => this.$emit("help"),
        d: () => this.nearest("[data-act=download]")?.click(),
        " ": (event) => {
          if (event.target.matches("a[role=button]")) return event.target.click();
          const video = this.nearest("video");
          if (onButton(event) || !video) return false;
          video.paused ? video.play() : video.pause();
        },
        Enter: (event) => (event.target.matches("[role=option]") ? event.target.click() : false),
        ArrowLeft: (event) => this.step(event.target, -1),
        ArrowRight: (event) => this.step(event.target, 1),
      };
    },
    nearest(selector) {
      // of the stage that has the focus; else the newest: first in the studio, last in a conversation
      const focused = document.activeElement.closest(".r-stage")?.querySelector(selector);
      const all = [...document.querySelectorAll(`main ${selector}`)];
      return focused ?? all.at(document.querySelector(".r-thread") ? -1 : 0);
    },
    step(target, by) {
      if (target.closest("video, [type=radio]")) return false;
      const option = target.closest("[role=option]");
      if (!option) return void this.$emit("step", by);
      const next = by > 0 ? option.nextElementSibling : option.previousElementSibling;
      next?.focus({ preventScroll: true });
      next?.scrollIntoView({ block: "nearest", inline: "nearest" });
      next?.click();
    },
    async click(event) {
      const button = event.target.closest("[data-copy]");
      if (!button) return;
      const url = new URL(button.dataset.copy, location.href).href;
      this.$emit("copied", (await this.write(url)) ? "" : url);
    },
    async write(text) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch {
        const area = Object.assign(document.createElement("textarea"), { value: text });
        area.style.position = "fixed";
        area.style.opacity = "0";
        document.body.append(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        return done;
      }
    },
  },
};
