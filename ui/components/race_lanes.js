// Two tracks on one time axis, drawn from marks {n, t, lane, kind, text, until, good}; times are Unix seconds of the server.
const LEFT = 48, RIGHT = 16, PUSH = 18, POLL = 52, AXIS = 76;
const LETTER_PX = 7;

export default {
  template: `
    <figure class="r-lanes" role="img" :aria-label="spoken">
      <svg :width="width" height="94" :viewBox="'0 0 ' + width + ' 94'" aria-hidden="true">
        <g class="r-ticks"><g v-for="tick in ticks" :key="tick.t">
          <line :x1="tick.x" :x2="tick.x" y1="4" :y2="AXIS" /><text :x="tick.x" y="90" text-anchor="middle">{{ tick.text }}</text>
        </g></g>
        <text class="r-lane-name" x="0" :y="PUSH + 4">{{ words.push }}</text>
        <text class="r-lane-name" x="0" :y="POLL + 4">{{ words.poll }}</text>
        <line class="r-rail-line" :x1="x(start)" :x2="x(end || tail)" :y1="PUSH" :y2="PUSH" />
        <line class="r-rail-line" :x1="x(start)" :x2="x(tail)" :y1="POLL" :y2="POLL" />
        <g class="r-push" :class="{ won: winner === 'push' }">
          <g v-for="gap in gaps" :key="'g' + gap.n" class="r-gap">
            <line :x1="x(gap.from)" :x2="x(gap.to)" :y1="PUSH" :y2="PUSH" />
            <path :d="cross(x(gap.from), PUSH)" /><rect :x="x(gap.from) - 6" y="6" :width="Math.max(12, x(gap.to) - x(gap.from) + 6)" height="24" fill="transparent"><title>{{ gap.text }}</title></rect>
            <text v-if="x(gap.to) - x(gap.from) > gap.text.length * 5.6 + 12" :x="x(gap.from) + 9" :y="PUSH + 18">{{ gap.text }}</text>
          </g>
          <rect v-for="band in bands" :key="'b' + band.n" class="r-band" :x="x(band.from)" :width="Math.max(2, x(band.to) - x(band.from))" :y="PUSH - 4" height="8" rx="4" />
          <g v-for="mark in heard" :key="mark.n">
            <rect v-if="mark.small" class="r-tick" :x="x(mark.t) - 0.75" :y="PUSH - 4" width="1.5" height="8" />
            <circle v-else class="r-dot" :cx="x(mark.t)" :cy="PUSH" r="3.5" />
            <rect :x="x(mark.t) - 3" :y="PUSH - 9" width="6" height="18" fill="transparent"><title>{{ mark.text }}</title></rect>
          </g>
        </g>
        <g class="r-poll" :class="{ won: winner === 'poll' }">
          <line v-if="winner === 'poll'" class="r-win" :x1="x(start)" :x2="x(end)" :y1="POLL" :y2="POLL" />
          <g v-for="ask in asks" :key="ask.n">
            <path v-if="ask.bad" class="r-bad" :d="cross(x(ask.t), POLL)" />
            <rect v-else-if="ask.kind === 'attempt'" class="r-ask" :x="x(ask.t) - 1.5" :y="POLL - 8" width="3" height="16" rx="1.5" />
            <path v-else class="r-check" :d="diamond(x(ask.t), POLL)" />
            <rect :x="x(ask.t) - 6" :y="POLL - 11" width="12" height="22" fill="transparent"><title>{{ ask.text }}</title></rect>
          </g>
          <g v-if="next" class="r-next">
            <line :x1="x(next)" :x2="x(next)" :y1="POLL - 8" :y2="POLL + 8" />
            <text :x="x(next)" :y="POLL + 21" :text-anchor="x(next) > width - 90 ? 'end' : 'middle'">{{ nextText }}</text>
          </g>
        </g>
        <g v-if="winner" :class="'r-flag ' + winner">
          <path :d="flag(x(end), winner === 'push' ? PUSH : POLL)" /><text :x="x(end) + 16" :y="(winner === 'push' ? PUSH : POLL) + 4">{{ words.result }}</text>
        </g>
        <line v-if="!ended" class="r-now" :x1="x(now)" :x2="x(now)" y1="4" :y2="AXIS" />
      </svg>
    </figure>`,
  props: { marks: Array, start: Number, end: Number, winner: String, due: Number, clock: Number, words: Object },
  data() {
    return { all: [...this.marks], width: 600, now: this.clock, PUSH, POLL, AXIS, span: 4, cutOff: false };
  },
  mounted() {
    this.skew = this.clock - Date.now() / 1000;
    this.observer = new ResizeObserver(([entry]) => (this.width = Math.max(240, Math.floor(entry.contentRect.width))));
    this.observer.observe(this.$el);
    this.width = Math.max(240, this.$el.clientWidth);
    const pace = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 250;
    this.beat = setInterval(() => this.tick(), pace);
    this.tick();
  },
  beforeUnmount() {
    clearInterval(this.beat);
    this.observer.disconnect();
  },
  watch: {
    marks(marks) {
      this.all = [...marks];
    },
    end() {
      this.tick();
    },
  },
  methods: {
    add(marks) {
      const last = this.all.length ? this.all[this.all.length - 1].n : -1;
      this.all.push(...marks.filter((mark) => mark.n > last));
    },
    tick() {
      this.cutOff = !this.ended && "cutOff" in document.documentElement.dataset;
      if (this.cutOff) return; // nobody knows what happens now: the drawing stays at what is known
      if (this.ended) this.now = this.end;
      else if (!document.hidden) this.now = Date.now() / 1000 + this.skew;
      this.span = this.ended
        ? Math.max(0.5, this.tail - this.start) * 1.001
        : Math.max(4, (this.now - this.start) * 1.12, (this.next || 0) - this.start);
    },
    x(t) {
      let room = this.width - LEFT - RIGHT;
      if (this.winner) {
        // keep the label behind the flag inside the drawing
        const share = Math.max(0.01, (this.end - this.start) / this.span);
        room = Math.min(room, (this.width - LEFT - 18 - LETTER_PX * this.words.result.length) / share);
      }
      return Math.round((LEFT + Math.max(0, Math.min(1, (t - this.start) / this.span)) * room) * 10) / 10;
    },
    cross: (x, y) => `M${x - 4} ${y - 4}l8 8M${x + 4} ${y - 4}l-8 8`,
    diamond: (x, y) => `M${x} ${y - 5}l4 5-4 5-4-5Z`,
    flag: (x, y) => `M${x - 6} ${y - 7}h10l6 7-6 7h-10Z`,
    say: (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]),
    count(forms, count) {
      const form = new Intl.PluralRules(document.documentElement.lang).select(count);
      return this.say(forms[form], { count });
    },
  },
  computed: {
    ended() {
      return Boolean(this.end);
    },
    tail() {
      // extend the axis to the loser's next attempt, unless it is too far away
      const life = Math.max(0.5, (this.end || this.now) - this.start);
      return this.ended && this.due && this.due > this.end && this.due - this.end < life * 3 ? this.due : this.end || this.now;
    },
    bands() {
      const bands = [];
      let open = null;
      for (const mark of this.all) {
        if (mark.lane !== "push") continue;
        if ((mark.kind === "open" || mark.kind === "event") && !open) open = mark;
        else if ((mark.kind === "lost" || mark.kind === "opening") && open) {
          bands.push({ n: open.n, from: open.t, to: mark.t });
          open = null;
        }
      }
      if (open) bands.push({ n: open.n, from: open.t, to: this.end || this.now });
      return bands;
    },
    gaps() {
      const gaps = [];
      let lost = null;
      for (const mark of this.all) {
        if (mark.lane !== "push") continue;
        if (mark.kind === "lost" && !lost) lost = mark;
        else if ((mark.kind === "open" || mark.kind === "event") && lost) {
          gaps.push({ n: lost.n, from: lost.t, to: mark.t, text: lost.text });
          lost = null;
        }
      }
      if (lost) gaps.push({ n: lost.n, from: lost.t, to: this.end || this.now, text: lost.text });
      return gaps;
    },
    heard() {
      return this.all.filter((mark) => mark.lane === "push" && mark.kind === "event");
    },
    asks() {
      const asks = [];
      for (const mark of this.all) {
        if (mark.lane !== "poll") continue;
        if (mark.kind === "attempt" || mark.kind === "check") asks.push({ ...mark });
        else if (asks.length && (mark.kind === "answer" || mark.kind === "lost")) {
          const ask = asks[asks.length - 1];
          ask.text += " · " + mark.text;
          ask.bad = mark.kind === "lost";
          ask.over = true;
        }
      }
      // the end made a poll that was under way needless
      while (this.ended && asks.length && !asks[asks.length - 1].over) asks.pop();
      return asks;
    },
    next() {
      if (this.ended) return this.due && this.due > this.end && this.tail === this.due ? this.due : 0;
      if (this.cutOff) return 0;
      for (let i = this.all.length - 1; i >= 0; i--) {
        const mark = this.all[i];
        if (mark.lane === "poll" && mark.kind === "attempt") return 0;
        if (mark.lane === "poll" && mark.kind === "due") return mark.until > this.now - 1 ? mark.until : 0;
      }
      return 0;
    },
    nextText() {
      if (this.ended) return this.words.would;
      return this.say(this.words.next, { s: Math.max(0, Math.ceil(this.next - this.now)) });
    },
    ticks() {
      const steps = [0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600];
      const step = steps.find((s) => (this.width - LEFT) / (this.span / s) > 72) || 43200;
      const ticks = [];
      for (let s = 0; s <= this.span * 0.97 && ticks.length < 30; s += step) {
        const [unit, count] = s < 60 || step < 60 ? ["s", s] : s < 3600 ? ["min", Math.round(s / 60)] : ["h", s / 3600];
        const text = this.say(this.words[unit], { figure: count.toLocaleString(document.documentElement.lang) });
        ticks.push({ t: s, x: this.x(this.start + s), text });
      }
      return ticks;
    },
    spoken() {
      const parts = [
        this.count(this.words.spokenPush, this.heard.length),
        this.count(this.words.spokenPoll, this.asks.length),
        ...this.gaps.map((gap) => gap.text),
      ];
      return parts.join(" ");
    },
  },
};
