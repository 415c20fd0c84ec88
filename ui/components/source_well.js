// Where a picture is dropped, pasted or chosen. It goes to the server by HTTP; the page is told its name only.
const pictures = (transfer) => [...(transfer?.files ?? [])];
const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

export default {
  template: `<div class="r-well" :class="{ 'is-over': over, 'is-busy': busy }" @click="pick">
    <input ref="file" type="file" :accept="accept" hidden @change="chosen">
    <slot></slot>
    <div v-if="busy" class="r-well-busy" role="status">{{ words.coming }}</div>
  </div>`,
  props: { address: String, accept: String, most_bytes: Number, words: Object },
  data: () => ({ over: false, busy: false }),
  mounted() {
    this.ears = [
      ["dragover", this.dragged],
      ["dragleave", this.left],
      ["drop", this.dropped],
      ["paste", this.pasted],
    ];
    this.ears.forEach(([name, ear]) => document.addEventListener(name, ear));
  },
  beforeUnmount() {
    this.ears.forEach(([name, ear]) => document.removeEventListener(name, ear));
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
      if (files[0].size > this.most_bytes) return this.$emit("refused", this.words.large);
      this.busy = true;
      try {
        const answer = await fetch(this.address, { method: "POST", body: files[0] });
        const told = await answer.json();
        told.source ? this.$emit("kept", told.source) : this.$emit("refused", told.error);
      } catch {
        this.$emit("refused", this.words.lost);
      } finally {
        this.busy = false;
      }
    },
  },
};
