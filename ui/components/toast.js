// A Quasar notification with one action; it also marks the title while the tab is hidden.
export default {
  props: { options: Object, act: String },
  mounted() {
    this.notification = Quasar.Notify.create(this.all());
    window.rushes?.mark?.();
  },
  methods: {
    all() {
      const actions = this.act
        ? [{ label: this.act, noCaps: true, flat: true, dense: true, ripple: false, class: "r-toast-act", handler: () => this.$emit("open") }]
        : [];
      return { ...this.options, actions, onDismiss: () => this.$emit("dismiss") };
    },
    update_notification() {
      this.notification(this.all());
    },
    dismiss() {
      this.notification();
    },
  },
};
