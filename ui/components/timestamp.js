// A time that the browser updates: how long ago or since, in the browser's time zone.
const page = document.documentElement;
// the page's language with the browser's region
const tongue = () => navigator.languages.find((one) => one.slice(0, 2) === page.lang.slice(0, 2)) ?? page.lang;

export default {
  template: `<time :datetime="iso">{{ text }}</time>`,
  props: { at: Number, clock: Number, mode: String, words: Object },
  data() {
    return { now: this.clock };
  },
  mounted() {
    const skew = this.clock - Date.now() / 1000;
    const counts = ["since", "until"].includes(this.mode);
    const tick = () => {
      if (counts && "cutOff" in page.dataset) return; // whether it still runs is not known
      this.now = Date.now() / 1000 + skew;
    };
    this.beat = setInterval(tick, counts ? 1000 : 20000);
    tick();
  },
  beforeUnmount() {
    clearInterval(this.beat);
  },
  computed: {
    iso() {
      return new Date(this.at * 1000).toISOString();
    },
    text() {
      const date = new Date(this.at * 1000);
      const past = Math.max(0, this.now - this.at);
      if (this.mode === "until" && past > 0) return this.words.due;
      if (this.mode === "since" || this.mode === "until") {
        const span = Math.ceil(this.mode === "since" ? Math.floor(past) : this.at - this.now);
        const two = (n) => String(Math.floor(n)).padStart(2, "0");
        const rest = `${two((span / 60) % 60)}:${two(span % 60)}`;
        return span < 3600 ? rest.replace(/^0/, "") : `${Math.floor(span / 3600)}:${rest}`;
      }
      const minutes = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      if (this.mode === "exact") return date.toLocaleTimeString(tongue(), { ...minutes, second: "2-digit", fractionalSecondDigits: 2 });
      if (this.mode === "full") return date.toLocaleString(tongue(), { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
      if (past < 60) return this.words.now;
      const time = date.toLocaleTimeString(tongue(), minutes);
      if (date.toDateString() === new Date(this.now * 1000).toDateString()) return time;
      return date.toLocaleDateString(tongue(), { day: "numeric", month: "short" }) + ", " + time;
    },
  },
};
