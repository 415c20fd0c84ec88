// A picture as large as the window: zoom by click, wheel, pinch or + and -, neighbours by the arrows, Escape leaves.
const MOST = 8;
const STEP = 1.5;
const STILL_PX = 4;

export default {
  template: `
  <dialog class="r-large" :aria-label="alt" @close="shown = false" @keydown="key">
    <template v-if="shown">
      <div class="r-large-room" :class="{ near: scale > 1 }" @wheel.prevent="wheel" @pointerdown="down" @pointermove="move" @pointerup="up" @pointercancel="up">
        <img :src="src" :alt="alt" :style="{ transform, '--ratio': ratio }" draggable="false" @load="ratio = $event.target.naturalWidth / $event.target.naturalHeight || 1" @error="all[at].src = all[at].poster ?? src">
      </div>
      <div class="r-large-acts">
        <template v-if="all.length > 1">
          <button v-for="one in [-1, 1]" :key="one" type="button" class="r-large-act" :disabled="!all[at + one]" :aria-label="one < 0 ? words.previous : words.next" :title="one < 0 ? words.previous : words.next" @click="step(one)"><span class="i i-back" :class="{ 'r-turned': one > 0 }" aria-hidden="true"></span></button>
          <span class="r-large-place" role="status">{{ place }}</span>
        </template>
        <button type="button" class="r-large-act" :disabled="scale <= 1" :aria-label="words.out" :title="words.out" @click="zoom(scale / step_)">−</button>
        <button type="button" class="r-large-act" :disabled="scale >= most" :aria-label="words.in" :title="words.in" @click="zoom(scale * step_)">+</button>
        <button type="button" class="r-large-act" autofocus :aria-label="words.close" :title="words.close" @click="$el.close()"><span class="i i-close" aria-hidden="true"></span></button>
      </div>
    </template>
  </dialog>`,
  props: { words: Object },
  data() {
    return { shown: false, all: [], at: 0, ratio: 1.5, scale: 1, x: 0, y: 0, most: MOST, step_: STEP };
  },
  mounted() {
    this.fingers = new Map();
    document.addEventListener("click", this.clicked);
  },
  beforeUnmount() {
    document.removeEventListener("click", this.clicked);
  },
  computed: {
    src() {
      return this.all[this.at]?.src;
    },
    alt() {
      return this.all[this.at]?.alt ?? "";
    },
    place() {
      return this.words.place.replace("{place}", this.at + 1).replace("{count}", this.all.length);
    },
    transform() {
      return `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    },
  },
  methods: {
    clicked(event) {
      const picture = event.target.closest?.("[data-large]")?.closest(".r-gate").querySelector("img.r-player") ?? event.target.closest?.("img.r-player");
      if (picture) this.open(picture);
    },
    open(picture) {
      const cards = [...document.querySelectorAll(".r-strip .r-card.phase-completed.is-picture")].filter((card) => card.querySelector("img[src]:not(.hidden)"));
      const strip = cards.map((card) => ({
        src: card.querySelector("img").getAttribute("src").replace(/poster$/, "file"),
        poster: card.querySelector("img").getAttribute("src"), // for a format that the browser cannot show
        alt: card.querySelector(".r-card-title").textContent,
        card,
      }));
      const here = [...document.querySelectorAll("img.r-player")].map((one) => ({ src: one.getAttribute("src"), alt: one.alt }));
      const src = picture.getAttribute("src");
      this.all = strip.some((one) => one.src === src) ? strip : here;
      this.at = Math.max(0, this.all.findIndex((one) => one.src === src));
      this.fit();
      this.shown = true;
      this.$nextTick(() => this.$el.showModal());
    },
    step(by) {
      if (!this.all[this.at + by]) return;
      this.at += by;
      this.fit();
      this.all[this.at].card?.click(); // the stage follows
    },
    key(event) {
      event.stopPropagation(); // the page's own keys rest
      const act = {
        ArrowLeft: () => this.step(-1),
        ArrowRight: () => this.step(1),
        "+": () => this.zoom(this.scale * STEP),
        "=": () => this.zoom(this.scale * STEP),
        "-": () => this.zoom(this.scale / STEP),
        0: () => this.fit(),
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      act();
    },
    // zoom
    fit() {
      this.fingers?.clear();
      [this.scale, this.x, this.y] = [1, 0, 0];
    },
    /** `at`: the point that stays where it is; the middle without one. */
    zoom(to, at) {
      const scale = Math.max(1, Math.min(MOST, to));
      const room = this.$el.querySelector(".r-large-room").getBoundingClientRect();
      const [dx, dy] = at ? [at.clientX - room.left - room.width / 2, at.clientY - room.top - room.height / 2] : [0, 0];
      const grown = scale / this.scale;
      this.scale = scale;
      this.pan(dx - (dx - this.x) * grown, dy - (dy - this.y) * grown);
    },
    pan(x, y) {
      const picture = this.$el.querySelector(".r-large-room img");
      const bound = (value, size, room) => {
        const most = Math.max(0, (size * this.scale - room) / 2);
        return Math.max(-most, Math.min(most, value));
      };
      const { clientWidth, clientHeight } = picture.parentElement;
      this.x = bound(x, picture.offsetWidth, clientWidth);
      this.y = bound(y, picture.offsetHeight, clientHeight);
    },
    wheel(event) {
      this.zoom(this.scale * Math.exp(-event.deltaY / 400), event);
    },
    down(event) {
      event.currentTarget.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, event);
      if (this.fingers.size === 1) this.began = event;
      else this.began = null;
      this.onPicture = event.target.tagName === "IMG";
    },
    move(event) {
      const before = this.fingers.get(event.pointerId);
      if (!before) return;
      const other = [...this.fingers.values()].find((one) => one.pointerId !== event.pointerId);
      this.fingers.set(event.pointerId, event);
      if (!other) return this.pan(this.x + event.clientX - before.clientX, this.y + event.clientY - before.clientY);
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      this.zoom((this.scale * apart(event)) / Math.max(1, apart(before)), other);
    },
    up(event) {
      this.fingers.delete(event.pointerId);
      const began = this.began;
      if (event.type !== "pointerup" || !began || Math.hypot(event.clientX - began.clientX, event.clientY - began.clientY) > STILL_PX) return;
      if (!this.onPicture) return this.$el.close();
      if (this.scale > 1) return this.fit();
      const picture = this.$el.querySelector(".r-large-room img");
      this.zoom(Math.max(2, picture.naturalWidth / picture.offsetWidth), event);
    },
  },
};
