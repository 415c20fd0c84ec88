// Scroll area of the messages: stays at its end while the person is there, else points to new messages below.
const NEAR_PX = 80;

export default {
  template: `
    <div class="r-thread-frame">
      <div class="r-thread" ref="box" tabindex="0" role="region" :aria-label="words.name" @scroll.passive="scrolled"><div class="r-thread-in" ref="inner"><slot></slot></div></div>
      <button v-show="below" class="r-btn r-btn-quiet r-below-mark" type="button" @click="end(true)">{{ words.below }}</button>
    </div>`,
  props: { words: Object },
  data() {
    return { below: false };
  },
  mounted() {
    this.stuck = true;
    this.top = 0;
    this.watch = new ResizeObserver(() => this.settle());
    this.watch.observe(this.$refs.inner);
    this.watch.observe(this.$refs.box);
    this.end(false);
  },
  beforeUnmount() {
    this.watch.disconnect();
  },
  methods: {
    scrolled() {
      const box = this.$refs.box;
      const near = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
      // new content also increases the distance to the end: only scrolling up releases it
      if (near || box.scrollTop < this.top) this.stuck = near;
      if (near) this.below = false;
      this.top = box.scrollTop;
    },
    settle() {
      if (this.stuck) return this.end(false);
      const grew = this.$refs.box.scrollHeight > (this.height ?? 0);
      if (grew && this.height && !this.earlier) this.below = true;
      this.height = this.$refs.box.scrollHeight;
    },
    end(smooth) {
      const box = this.$refs.box;
      box.scrollTo({ top: box.scrollHeight, behavior: smooth ? "smooth" : "instant" });
      this.stuck = true;
      this.below = false;
      this.height = box.scrollHeight;
    },
    // called by the server
    follow() {
      this.end(false);
    },
    hold() {
      // earlier messages are inserted above: keep the scroll position
      const box = this.$refs.box;
      const rest = box.scrollHeight - box.scrollTop;
      this.stuck = false;
      this.earlier = true;
      const held = new ResizeObserver(() => (box.scrollTop = box.scrollHeight - rest));
      held.observe(this.$refs.inner);
      setTimeout(() => (held.disconnect(), (this.earlier = false)), 1500);
    },
    show(id) {
      const found = this.$el.querySelector(`[data-artifact="${CSS.escape(id)}"]`);
      found?.scrollIntoView({ block: "center", behavior: "smooth" });
    },
  },
};
