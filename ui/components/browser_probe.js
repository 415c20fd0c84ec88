// Measures the connection to Rushes from this browser: event stream, range requests, websocket.
const FIRST = 100, LAST = 299;
const ANSWERS_WITHIN_MS = 10_000, GRACE_MS = 5000;
const AGAIN_MS = 2000, CUT_OFF_AFTER = 5; // what cuts the stream may cut the page's own line with it

async function part() {
  try {
    const answer = await fetch("/api/doctor/bytes", {
      headers: { Range: `bytes=${FIRST}-${LAST}` },
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const right = bytes.length === LAST - FIRST + 1 && bytes.every((byte, i) => byte === ((FIRST + i) & 255));
    return { status: answer.status, size: bytes.length, right };
  } catch {
    return { status: 0, size: 0, right: false };
  }
}

function websocket() {
  const address = new URL("/_nicegui_ws/socket.io/?EIO=4&transport=websocket", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  return new Promise((resolve) => {
    const socket = new WebSocket(address);
    const end = (opened, ours) => {
      clearTimeout(waiting);
      resolve({ opened, ours });
      socket.close();
    };
    const waiting = setTimeout(() => end(socket.readyState === WebSocket.OPEN, false), ANSWERS_WITHIN_MS);
    socket.onmessage = (event) => end(true, String(event.data).startsWith("0"));
    socket.onerror = () => end(false, false);
  });
}

async function stream(seconds, stop, onEvent) {
  const begun = performance.now();
  const heard = { status: 0, lags_s: [], complete: false, lived_s: 0, quiet_s: 0 };
  let last = begun, rest = "";
  const waiting = setTimeout(() => stop.abort(), seconds * 1000 + GRACE_MS);
  try {
    const answer = await fetch(`/api/doctor/stream?seconds=${seconds}`, {
      headers: { Accept: "text/event-stream" },
      cache: "no-store",
      signal: stop.signal,
    });
    heard.status = answer.status;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const lines = (rest + piece.value).split("\n");
      rest = lines.pop();
      for (const line of lines.filter((one) => one.startsWith("data:"))) {
        const event = JSON.parse(line.slice(5));
        last = performance.now();
        heard.lags_s.push(Date.now() / 1000 - event.sent_at);
        heard.complete = event.last;
        onEvent();
      }
    }
  } catch {
    // the point where it broke is the result
  }
  clearTimeout(waiting);
  const ended = performance.now();
  return { ...heard, lived_s: (ended - begun) / 1000, quiet_s: (ended - last) / 1000 };
}

export default {
  template: `
    <div class="r-stack r-doctor">
      <div class="r-row">
        <button type="button" class="r-btn r-btn-quiet" :aria-disabled="busy ? 'true' : 'false'" @click="ask">
          <span class="i i-check i-s" aria-hidden="true"></span><span>{{ words.ask }}</span>
        </button>
      </div>
      <p class="r-quiet" role="status">{{ standing }}</p>
      <template v-if="busy">
        <p class="r-check-figures">{{ figures }}</p>
        <div class="r-check-bar" role="progressbar" :aria-label="words.progress" :aria-valuenow="percent" :style="{ '--percent': percent + '%' }"></div>
      </template>
    </div>`,
  props: { words: Object, seconds: Number },
  data: () => ({ busy: false, standing: "", events: 0, passed: 0, all: 0 }),
  computed: {
    percent() {
      return Math.min(100, Math.round((100 * this.passed) / this.all));
    },
    figures() {
      const told = { passed: Math.min(this.passed, this.all), all: this.all, count: this.events };
      return this.words.figures.replace(/{(\w+)}/g, (_, name) => told[name]);
    },
  },
  created() {
    this.count = 0;
  },
  beforeUnmount() {
    this.left = true;
    clearInterval(this.beat);
    clearTimeout(this.waiting);
    this.stop?.abort();
  },
  methods: {
    async ask() {
      if (this.busy) return;
      clearTimeout(this.waiting);
      const seconds = this.seconds, begun = performance.now();
      Object.assign(this, { busy: true, events: 0, passed: 0, all: seconds, standing: this.words.listening });
      this.stop = new AbortController();
      this.beat = setInterval(() => (this.passed = Math.floor((performance.now() - begun) / 1000)), 250);
      this.$emit("begun");
      const [heard, ranges, socket] = await Promise.all([stream(seconds, this.stop, () => this.events++), part(), websocket()]);
      clearInterval(this.beat);
      if (this.left) return;
      this.busy = false;
      this.hand({ number: ++this.count, origin: location.origin, seconds, stream: heard, ranges, websocket: socket });
    },
    // repeats the report until the server acknowledges it
    hand(measured, tries = 0) {
      this.standing = tries < CUT_OFF_AFTER ? this.words.handing : this.words.cut_off;
      if (window.socket?.connected) this.$emit("measured", measured);
      this.waiting = setTimeout(() => this.hand(measured, tries + 1), AGAIN_MS);
    },
    // called by the server
    taken(number) {
      if (number !== this.count) return;
      clearTimeout(this.waiting);
      this.standing = this.words.done;
    },
  },
};
