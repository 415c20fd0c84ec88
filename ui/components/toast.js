// A Quasar notification with one action; it is also passed to look/notifications.js.
const MOST = 3;
const shown = []; // dismissals, oldest first

export default {
  props: { options: Object, act: String, notice: Object },
  mounted() {
    this.notification = Quasar.Notify.create(this.all());
    shown.push(this.notification);
    if (shown.length > MOST) shown.shift()();
    const { message: title, caption: body } = this.options;
    if (this.notice) window.rushes.notices?.tell({ ...this.notice, title, body });
  },
  methods: {
    all() {
      const actions = this.act
        ? [{ label: this.act, noCaps: true, flat: true, dense: true, ripple: false, class: "r-toast-act", handler: () => this.$emit("open") }]
        : [];
      return { ...this.options, actions, onDismiss: this.gone };
    },
    gone() {
      const place = shown.indexOf(this.notification);
      if (place >= 0) shown.splice(place, 1);
      this.$emit("dismiss");
    },
    update_notification() {
      this.notification(this.all());
    },
    dismiss() {
      this.notification();
    },
  },
};
