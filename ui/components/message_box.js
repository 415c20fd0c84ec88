// Message input. The message's id is created here, so that a repeated send stays one message.

export default {
  template: `
    <form class="r-box" :class="{ 'is-wrong': note }" @submit.prevent="send">
      <p class="r-note" role="alert" v-show="note" id="message-note">{{ note }}</p>
      <div class="r-box-row">
        <textarea id="prompt" ref="area" rows="1" v-model="text" :aria-label="words.message" :placeholder="words.example"
          :aria-invalid="note ? 'true' : 'false'" aria-describedby="message-note" enterkeyhint="send" dir="auto"
          @input="typed" @keydown.enter="enter"></textarea>
        <button class="r-btn r-btn-main r-send" type="submit" data-act="generate" :aria-label="words.send">
          <span class="i i-send i-s" aria-hidden="true"></span><span>{{ words.send }}</span>
        </button>
      </div>
    </form>`,
  props: { words: Object, most: Number },
  data() {
    return { text: "", id: "", note: "", waiting: "" };
  },
  mounted() {
    this.key = `message:${location.pathname}`;
    const kept = JSON.parse(sessionStorage.getItem(this.key) || "null");
    if (kept) [this.id, this.text] = [kept.id, kept.text];
    this.$nextTick(this.grow);
    if (matchMedia("(pointer: fine)").matches) this.$refs.area.focus({ preventScroll: true });
  },
  methods: {
    typed() {
      this.note = "";
      if (this.id === this.waiting) this.id = ""; // changed after it was sent: another message
      this.keep();
      this.grow();
    },
    keep() {
      this.forget(); // the page may have got an address of its own since
      this.key = `message:${location.pathname}`;
      if (!this.text) return;
      this.id ||= rushes.newKey();
      sessionStorage.setItem(this.key, JSON.stringify({ id: this.id, text: this.text }));
    },
    forget() {
      sessionStorage.removeItem(this.key);
    },
    grow() {
      const area = this.$refs.area;
      if (!area) return;
      area.style.blockSize = this.text ? "auto" : "";
      if (this.text) area.style.blockSize = `${Math.min(area.scrollHeight + 2, 220)}px`;
    },
    enter(event) {
      if (event.shiftKey || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.$el.querySelector("button").click();
    },
    send() {
      const length = this.text.trim().length;
      if (!length && Date.now() - this.takenAt < rushes.MOMENT_MS) return; // the second click of a double click
      if (!length) return this.refuse(this.words.empty);
      if (length > this.most) return this.refuse(this.words.long.replace("{count}", length.toLocaleString(document.documentElement.lang)));
      this.keep();
      this.waiting = this.id;
      this.$emit("send", { id: this.id, text: this.text });
    },
    refuse(sentence) {
      this.note = sentence;
      this.$refs.area.focus();
    },
    // called by the server
    taken(id) {
      if (this.id !== id) return;
      this.text = this.id = this.waiting = this.note = "";
      this.takenAt = Date.now();
      this.forget();
      this.$nextTick(this.grow);
    },
    refused(id, sentence) {
      if (this.waiting === id) this.waiting = "";
      this.refuse(sentence);
    },
  },
};
