// Upload by drop, paste or file dialog. The file is sent by HTTP; only its name passes through the websocket.
const pictures = (transfer) => [...(transfer?.files ?? [])];
const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

const STORY_BYTES = 300_000; // what tells a file's story lies near its beginning or its end
const STORY = /<rushes:generation>[^<]*<\/rushes:generation>/g;
const story = async (file) => {
  const text = await new Blob([file.slice(0, STORY_BYTES), file.slice(Math.max(STORY_BYTES, file.size - STORY_BYTES))]).text();
  return text.match(STORY)?.at(-1);
};

export default {
  template: `<div class="r-well" :class="{ 'is-over': over, 'is-busy': busy }" @click="pick">
    <input ref="file" type="file" :accept="accept" hidden @change="chosen">
    <slot></slot>
    <div v-if="busy" class="r-well-busy" role="status">{{ words.coming }}</div>
  </div>`,
  props: { address: String, accept: String, most_bytes: Number, words: Object },
  data: () => ({ over: false, busy: false }),
  mounted() {
    this.listeners = [
      ["dragover", this.dragged],
      ["dragleave", this.left],
      ["drop", this.dropped],
      ["paste", this.pasted],
    ];
    this.listeners.forEach(([name, listener]) => document.addEventListener(name, listener));
  },
  beforeUnmount() {
    this.listeners.forEach(([name, listener]) => document.removeEventListener(name, listener));
  },
  methods: {
    pick(event) {
      if (event.target.closest("[data-pick]")) this.$refs.file.click();
    },
    chosen() {
      this.bring([...this.$refs.file.files]);
      this.$refs.file.value = "";
    },
    dragged(event) {
      if (!carries(event)) return;
      event.preventDefault(); // else the browser leaves the page to show the file
      this.over = true;
    },
    left(event) {
      if (!event.relatedTarget) this.over = false;
    },
    dropped(event) {
      this.over = false;
      if (!carries(event)) return;
      event.preventDefault();
      this.bring(pictures(event.dataTransfer));
    },
    pasted(event) {
      const files = pictures(event.clipboardData);
      if (!files.length) return; // text goes where it was pasted
      event.preventDefault();
      this.bring(files);
    },
    async bring(files) {
      if (this.busy || !files.length) return;
      if (files.length > 1) return this.$emit("refused", this.words.one);
      const told = await story(files[0]).catch(() => null);
      if (!told) return this.send(files[0]);
      this.carrier = files[0];
      this.$emit("carried", told);
    },
    again() {
      // uploads the same file as a source picture
      if (this.carrier) this.send(this.carrier);
    },
    async send(file) {
      if (file.size > this.most_bytes) return this.$emit("refused", this.words.large);
      this.busy = true;
      try {
        const answer = await fetch(this.address, { method: "POST", body: file });
        const told = await answer.json();
        told.source ? this.$emit("kept", [told.source, file.name]) : this.$emit("refused", told.error);
      } catch {
        this.$emit("refused", this.words.lost);
      } finally {
        this.busy = false;
      }
    },
  },
};
