// Settings of this browser: system notifications and sound.
const notices = () => window.rushes.notices;

export default {
  template: `
    <div class="r-switches">
      <label class="r-switch">
        <input type="checkbox" role="switch" :checked="system" :disabled="!offered" aria-describedby="notices-system" @change="turnSystem" />
        <span>{{ words.system }}</span>
      </label>
      <p id="notices-system" class="r-quiet" role="status">{{ words[standing] ?? words.about_system }}</p>
      <label class="r-switch">
        <input type="checkbox" role="switch" :checked="sound" aria-describedby="notices-sound" @change="turnSound" />
        <span>{{ words.sound }}</span>
      </label>
      <p id="notices-sound" class="r-quiet" role="status">{{ words[hearing] ?? words.about_sound }}</p>
      <div class="r-row"><button type="button" class="r-btn r-btn-quiet" @click="tryIt">{{ words.try }}</button></div>
    </div>`,
  props: { words: Object },
  data: () => ({ system: false, sound: false, standing: "", hearing: "" }),
  computed: {
    offered() {
      return !["insecure", "missing"].includes(this.standing);
    },
  },
  mounted() {
    this.look();
    window.addEventListener("storage", this.look); // turned on or off in another tab
  },
  beforeUnmount() {
    window.removeEventListener("storage", this.look);
  },
  methods: {
    look() {
      this.sound = notices().isOn("sound");
      this.stand(notices().standing());
    },
    stand(standing) {
      this.system = standing === "granted" && notices().isOn("system");
      this.standing = standing === "default" ? "" : standing;
    },
    async turnSystem(event) {
      const input = event.target;
      if (input.checked) {
        const standing = await notices().allow({ title: this.words.sample_title, body: this.words.sample });
        this.stand(standing);
        if (standing === "default") this.standing = "unanswered";
      } else {
        notices().turn("system", false);
        this.look();
      }
      input.checked = this.system;
    },
    turnSound(event) {
      this.sound = event.target.checked;
      notices().turn("sound", this.sound);
    },
    async tryIt() {
      this.hearing = (await notices().tryIt()) ? "" : "unheard";
    },
  },
};
