// The library's grid: draws only the cards near the viewport; handles selection and keys.
const GAP_PX = 16;
const TEXT_PX = 50;
const WIDEST_PX = 264;
const NARROWEST_PX = 150;
const NEAR_PX = 900; // drawn above and below the screen
const AHEAD_PX = 2400; // the next page is asked for before its place is reached
const HOVER_MS = 120;
const page = document.documentElement;
const typing = (target) => target.closest?.("input:not([type=radio]), textarea, select, [contenteditable=true], .q-menu");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const tongue = () => navigator.languages.find((one) => one.slice(0, 2) === page.lang.slice(0, 2)) ?? page.lang;

export default {
  template: `
  <div class="r-shelf" :class="{ choosing: chosen.size }" @keydown="key" @pointerenter="over = true" @pointerleave="over = false">
    <div class="r-shelf-fresh" v-if="fresh.length">
      <button type="button" class="r-btn r-btn-quiet" @click="show">{{ count(words.fresh, fresh.length) }}</button>
    </div>
    <div v-if="settled && !items.length && !more" class="r-lost r-shelf-nothing">
      <span class="i i-xl r-scene-sign" :class="trash ? 'i-trash' : 'i-library'" aria-hidden="true"></span>
      <p class="r-scene-words">{{ nothing[0] }}</p>
      <p class="r-quiet">{{ nothing[1] }}</p>
    </div>
    <ul ref="room" class="r-shelf-room" :aria-label="words.list" :style="{ blockSize: rows * rowPx + 'px' }">
      <li v-for="{ item, at } in near" :key="item.id" class="r-tile" :class="['is-' + item.status, 'phase-' + item.phase, { chosen: chosen.has(item.id), acting: opened === item.id, 'is-unwanted': item.unwanted }]"
          :style="{ transform: place(at), inlineSize: widthPx + 'px' }" :aria-posinset="at + 1" :aria-setsize="more ? -1 : items.length">
        <a :id="'tile-' + item.id" class="r-tile-link" :href="trash ? null : '/g/' + item.id" :role="trash ? 'button' : null" :tabindex="item.id === reached ? 0 : -1"
           draggable="false" @click="click($event, item, at)" @focus="reached = item.id"
           @pointerenter="enter(item)" @pointerleave="leave">
          <span class="r-card-picture" aria-hidden="true">
            <img v-if="item.poster" :src="'/media/' + item.id + '/poster'" alt="" loading="lazy" draggable="false">
            <video v-if="hovered === item.id" :src="'/media/' + item.id + '/preview'" muted autoplay loop playsinline aria-hidden="true" tabindex="-1"></video>
            <span v-if="!item.poster" class="i r-card-shape" :class="'i-' + item.shape" aria-hidden="true"></span>
            <span v-if="item.badge" class="r-card-badge">{{ item.badge }}</span>
            <span v-if="item.percent !== null" class="r-bar" :style="{ '--percent': item.percent + '%' }"></span>
          </span>
          <span class="r-tile-title">{{ item.title.slice(0, 120) }}</span>
          <span class="r-tile-line"><span>{{ when(item.at) }} · {{ item.word }}</span><span v-for="tag in item.tags.slice(0, 3)" class="r-tile-tag">{{ tag }}</span></span>
          <span class="r-sr">{{ unseen(item) }}</span>
        </a>
        <button type="button" class="r-tile-act r-tile-pick" tabindex="-1" role="checkbox" :aria-checked="chosen.has(item.id)" :aria-label="words.select + ': ' + item.title.slice(0, 60)" @click="pick($event, item, at)"><span class="i i-s i-tick" aria-hidden="true"></span></button>
        <button v-if="!trash" type="button" class="r-tile-act r-tile-star" :class="{ on: item.starred }" tabindex="-1" :aria-pressed="item.starred" :aria-label="words.star + ': ' + item.title.slice(0, 60)" @click="star([item])"><span class="i i-s" :class="item.starred ? 'i-starred' : 'i-star'" aria-hidden="true"></span></button>
        <button v-if="!trash" type="button" class="r-tile-act r-tile-more" tabindex="-1" aria-haspopup="menu" :aria-label="words.more + ': ' + item.title.slice(0, 60)" @click="opened = item.id; menu = true"><span class="i i-s i-more" aria-hidden="true"></span>
          <q-menu v-if="opened === item.id" v-model="menu" @hide="opened = ''" class="r-menu" anchor="bottom right" self="top right" no-parent-event>
            <q-list role="none">
              <q-item v-for="one in offers(item)" :key="one.name" role="menuitem" clickable v-close-popup @click="one.act">{{ one.name }}</q-item>
            </q-list>
          </q-menu>
        </button>
      </li>
    </ul>
    <p v-if="more" class="r-quiet r-shelf-end" aria-hidden="true">…</p>
    <div v-if="chosen.size" class="r-bulk" role="toolbar" :aria-label="words.acts">
      <span class="r-strong r-bulk-count" role="status">{{ count(words.chosen, chosen.size) }}</span>
      <button v-for="one in bulk" type="button" class="r-btn" :class="one.look ?? 'r-btn-quiet'" :disabled="one.off || null" @click="one.act"><span class="i i-s" :class="'i-' + one.icon" aria-hidden="true"></span><span>{{ one.name }}</span></button>
      <button type="button" class="r-btn r-btn-bare r-btn-icon" :aria-label="words.clear" :title="words.clear" @click="clear"><span class="i" :class="'i-close'" aria-hidden="true"></span></button>
    </div>
    <iframe ref="unpacked" name="rushes-zip" hidden :title="words.zip" @load="unpacked"></iframe>
  </div>`,
  props: { list: Object, words: Object },
  data() {
    return {
      items: [], more: false, trash: false, nothing: ["", ""], settled: false, turn: 0, asked: false,
      chosen: new Set(), anchor: "", reached: "", fresh: [], hovered: "", opened: "", menu: true, over: false,
      wide: 0, top: 0, high: 0,
    };
  },
  watch: { list: { immediate: true, handler: "fill" } },
  mounted() {
    this.listeners = [
      [window, "scroll", this.look, { passive: true }],
      [document, "keydown", this.anywhere, undefined],
    ];
    this.listeners.forEach(([on, name, listener, how]) => on.addEventListener(name, listener, how));
    this.sizes = new ResizeObserver(this.look);
    this.sizes.observe(this.$refs.room);
    this.look();
  },
  beforeUnmount() {
    this.sizes.disconnect();
    clearTimeout(this.hovering);
    this.listeners.forEach(([on, name, listener]) => on.removeEventListener(name, listener));
  },
  computed: {
    columns() {
      const least = this.wide < 520 ? NARROWEST_PX : 200;
      return Math.max(1, Math.floor((this.wide + GAP_PX) / (Math.min(WIDEST_PX, Math.max(least, this.wide / 8)) + GAP_PX)));
    },
    widthPx() {
      return (this.wide - GAP_PX * (this.columns - 1)) / this.columns;
    },
    rowPx() {
      return Math.round((this.widthPx * 9) / 16) + TEXT_PX + GAP_PX;
    },
    rows() {
      return Math.ceil(this.items.length / this.columns);
    },
    near() {
      if (!this.wide) return [];
      const first = Math.max(0, Math.floor((this.top - NEAR_PX) / this.rowPx)) * this.columns;
      const last = Math.ceil((this.top + this.high + NEAR_PX) / this.rowPx) * this.columns;
      const drawn = this.items.slice(first, last).map((item, i) => ({ item, at: first + i }));
      const at = this.at(this.reached); // what has the focus is never taken away
      if (at >= 0 && (at < first || at >= last)) drawn.push({ item: this.items[at], at });
      return drawn;
    },
    bulk() {
      const ids = () => [...this.chosen];
      const act = (name) => () => (this.$emit("act", [name, ids()]), this.clear());
      if (this.trash)
        return [
          { name: this.words.restore, icon: "retry", act: act("restore") },
          { name: this.words.remove, icon: "trash", look: "r-btn-trouble", act: act("remove") },
        ];
      const items = this.picked();
      const one = items.length === 1 ? items[0] : null;
      const unwanted = items.length && items.every((item) => item.unwanted);
      const stars = items.length && items.every((item) => item.starred);
      const alone = one ? [{ name: this.words.reuse, icon: "reuse", act: () => this.$emit("act", ["reuse", ids()]) }] : [];
      return [
        ...alone,
        { name: stars ? this.words.unstar : this.words.star, icon: stars ? "starred" : "star", act: () => this.star(this.picked()) },
        { name: this.words.tag, icon: "tag", act: () => this.$emit("act", ["tag", ids()]) },
        { name: this.words.zip, icon: "download", off: !items.some((item) => item.kept), act: this.pack },
        ...(unwanted ? [{ name: this.words.keep, icon: "done", act: act("keep") }] : []),
        { name: unwanted ? this.words.drop : this.words.trash, icon: "trash", act: act("trash") },
      ];
    },
  },
  methods: {
    // called by the server
    fill(list) {
      if (!list || list.turn === this.turn) return;
      const again = this.turn > 0;
      Object.assign(this, { ...list, asked: false, fresh: [], settled: true, chosen: new Set(), anchor: "" });
      this.reached = this.items[0]?.id ?? "";
      if (again) window.scrollTo({ top: 0 });
      this.$nextTick(this.look);
    },
    append(turn, items, more) {
      if (turn !== this.turn) return;
      const known = new Set(this.items.map((item) => item.id));
      this.items = [...this.items, ...items.filter((item) => !known.has(item.id))];
      this.more = more;
      this.asked = false;
      this.$nextTick(this.look);
    },
    put(item, belongs) {
      const at = this.at(item.id);
      if (at >= 0) {
        if (item.revision < this.items[at].revision) return;
        if (belongs || item.trashed === this.trash) this.items[at] = item;
        else this.take(item.id);
        return;
      }
      this.fresh = this.fresh.filter((one) => one.id !== item.id);
      if (!belongs) return;
      const oldest = this.items.at(-1);
      if (this.more && oldest && item.id < oldest.id) return; // its page comes later
      const busy = window.scrollY > 40 || this.over || this.chosen.size;
      const newest = !this.items.length || item.id > this.items[0].id;
      if (busy && newest && this.items.length) this.fresh = [item, ...this.fresh];
      else this.insert([item]);
    },
    // loading
    at(id) {
      return id ? this.items.findIndex((item) => item.id === id) : -1;
    },
    insert(items) {
      this.items = [...items, ...this.items].sort((a, b) => (a.id < b.id ? 1 : -1));
      this.reached ||= this.items[0].id;
      this.$nextTick(this.look);
    },
    show() {
      const items = this.fresh;
      this.fresh = [];
      this.insert(items);
      window.scrollTo({ top: 0 });
      this.focus(0);
    },
    take(id) {
      const at = this.at(id);
      const focused = document.activeElement?.id === "tile-" + id;
      this.items.splice(at, 1);
      if (this.chosen.delete(id)) this.chosen = new Set(this.chosen);
      if (this.reached === id) this.reached = (this.items[at] ?? this.items[at - 1])?.id ?? "";
      if (focused && this.reached) this.focus(this.at(this.reached));
      this.$nextTick(this.look);
    },
    look() {
      const room = this.$refs.room?.getBoundingClientRect();
      if (!room) return;
      this.wide = room.width;
      this.top = -room.top;
      this.high = window.innerHeight;
      const end = this.rows * this.rowPx - this.top - this.high;
      if (this.more && !this.asked && end < AHEAD_PX) {
        this.asked = true;
        this.$emit("more", this.turn);
      }
    },
    place(at) {
      return `translate(${(at % this.columns) * (this.widthPx + GAP_PX)}px, ${Math.floor(at / this.columns) * this.rowPx}px)`;
    },
    when(at) {
      const date = new Date(at * 1000);
      const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      if (date.toDateString() === new Date().toDateString()) return date.toLocaleTimeString(tongue(), time);
      const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
      return date.toLocaleDateString(tongue(), { day: "numeric", month: "short", ...year });
    },
    unseen(item) {
      return [item.badge, item.problem, item.starred ? this.words.star : ""].filter(Boolean).join(", ");
    },
    count(forms, count) {
      return forms[new Intl.PluralRules(page.lang).select(count)].replace("{count}", count.toLocaleString(tongue()));
    },
    // pointer
    enter(item) {
      clearTimeout(this.hovering);
      if (item.preview && !calm.matches) this.hovering = setTimeout(() => (this.hovered = item.id), HOVER_MS);
    },
    leave() {
      clearTimeout(this.hovering);
      this.hovered = "";
    },
    click(event, item, at) {
      const byKey = event.detail === 0;
      if (event.shiftKey && !byKey) return this.range(event, at);
      if ((this.chosen.size && !byKey && !event.ctrlKey && !event.metaKey) || this.trash) this.pick(event, item, at);
    },
    pick(event, item, at) {
      event.preventDefault();
      if (event.shiftKey && event.detail) return this.range(event, at);
      const chosen = new Set(this.chosen);
      chosen.delete(item.id) || chosen.add(item.id);
      this.chosen = chosen;
      this.anchor = this.reached = item.id;
    },
    range(event, at) {
      event.preventDefault();
      if (this.at(this.anchor) < 0) this.anchor = this.items[at].id;
      const from = this.at(this.anchor);
      const [first, last] = from < at ? [from, at] : [at, from];
      this.chosen = new Set([...this.chosen, ...this.items.slice(first, last + 1).map((item) => item.id)]);
    },
    clear() {
      this.chosen = new Set();
      this.anchor = "";
    },
    // actions
    picked() {
      if (this.chosen.size) return this.items.filter((item) => this.chosen.has(item.id));
      const item = this.items[this.at(this.reached)];
      return item ? [item] : [];
    },
    star(items) {
      const on = !items.every((item) => item.starred);
      items.forEach((item) => (item.starred = on));
      this.$emit("act", [on ? "star" : "unstar", items.map((item) => item.id)]);
    },
    offers(item) {
      const act = (name) => () => this.$emit("act", [name, [item.id]]);
      return [
        ...(item.phase === "unconfirmed" ? [{ name: this.words.check, act: act("check") }, { name: this.words.again, act: act("submit_again") }, { name: this.words.drop, act: act("let_go") }] : []),
        ...(item.unwanted ? [{ name: this.words.keep, act: act("keep") }, { name: this.words.drop, act: act("trash") }] : []),
        { name: this.words.reuse, act: act("reuse") },
        ...(item.problem ? [{ name: this.words.download, act: () => this.save(item) }] : item.kept ? this.sources(item, act) : []),
        { name: this.words.copy, act: () => this.link(item) },
        { name: this.words.tag, act: act("tag") },
        ...(item.unwanted ? [] : [{ name: this.words.trash, act: act("trash") }]),
      ];
    },
    sources(item, act) {
      const picture = [
        { name: this.words.animate, act: act("film_from") },
        { name: this.words.source, act: act("image_from") },
      ];
      const offered = item.film ? [{ name: this.words.frame, act: act("film_from") }] : picture;
      return [...offered, { name: this.words.download, act: () => this.save(item) }];
    },
    save(item) {
      Object.assign(document.createElement("a"), { href: `/media/${item.id}/download`, download: "" }).click();
    },
    link(item) {
      const button = document.createElement("button");
      button.dataset.copy = `/g/${item.id}`;
      button.hidden = true;
      document.body.append(button);
      button.click();
      button.remove();
    },
    pack() {
      const form = Object.assign(document.createElement("form"), { method: "post", action: "/api/files/zip", target: "rushes-zip" });
      const ids = this.picked().filter((item) => item.kept).map((item) => item.id);
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "ids", value: ids.join(",") }));
      document.body.append(form);
      this.packing = true;
      form.submit();
      form.remove();
    },
    unpacked() {
      // a download does not load the frame; a load event means that the request was refused
      if (this.packing) this.$emit("unpacked");
      this.packing = false;
    },
    // keys
    focus(at) {
      const item = this.items[at];
      if (!item) return;
      this.reached = item.id;
      this.$nextTick(() => {
        const tile = document.getElementById("tile-" + item.id);
        tile?.focus({ preventScroll: true });
        const room = this.$refs.room.getBoundingClientRect();
        const top = room.top + Math.floor(at / this.columns) * this.rowPx;
        const foot = this.chosen.size ? 160 : 90;
        if (top < 80) window.scrollBy({ top: top - 80 });
        else if (top + this.rowPx > window.innerHeight - foot) window.scrollBy({ top: top + this.rowPx - window.innerHeight + foot });
      });
    },
    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !event.target.closest(".r-tile")) return;
      const at = this.at(this.reached);
      const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns }[event.key];
      const jump = { Home: 0, End: this.items.length - 1 }[event.key];
      const item = this.items[at];
      const key = rushes.keyOf(event);
      if (event.shiftKey && /^[a-wyz]$/.test(key)) return;
      const remove = () => {
        this.$emit("act", [this.trash ? "remove" : "trash", this.picked().map((one) => one.id)]);
        this.clear();
      };
      const act = {
        s: () => !this.trash && this.star(this.picked()),
        x: () => (event.shiftKey ? this.range(event, at) : this.pick(event, item, at)),
        t: () => !this.trash && this.$emit("act", ["tag", this.picked().map((one) => one.id)]),
        d: () => !this.trash && (this.chosen.size ? this.pack() : item.kept && this.save(item)),
        Delete: remove,
        Backspace: remove, // a small Mac keyboard has no other one
        ...(this.trash ? { Enter: () => this.pick(event, item, at) } : {}), // there it leads nowhere
      }[key];
      if (move !== undefined) {
        const to = Math.min(this.items.length - 1, Math.max(0, at + move));
        if (event.shiftKey) {
          if (this.at(this.anchor) < 0) this.anchor = item.id;
          this.range(event, to);
        }
        this.focus(to);
      } else if (jump !== undefined) this.focus(jump);
      else if (act && item) act();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    enters(event) {
      // from the search field only downwards: the other arrows move in its text
      const { key, target } = event;
      if (!/^Arrow/.test(key) || !this.items.length || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
      if (target.id === "search") return key === "ArrowDown";
      return !typing(target) && !target.closest(".r-tile, .q-field, video, [type=radio]");
    },
    /** Where it was left if that is in sight, else the first one that is. */
    entry() {
      const first = Math.max(0, Math.ceil(this.top / this.rowPx)) * this.columns;
      const past = Math.floor((this.top + this.high) / this.rowPx) * this.columns;
      const left = this.at(this.reached);
      return left >= first && left < past ? left : Math.min(first, this.items.length - 1);
    },
    anywhere(event) {
      if (document.querySelector(".q-dialog, .q-menu")) return;
      if (this.enters(event)) return this.focus(this.entry()), event.preventDefault();
      if (typing(event.target)) return;
      if (event.key === "Escape" && this.chosen.size) this.clear();
      else if (rushes.keyOf(event) === "a" && (event.ctrlKey || event.metaKey)) this.chosen = new Set(this.items.map((item) => item.id));
      else if (event.key === "/" && !event.ctrlKey) document.getElementById("search")?.focus();
      else return;
      event.preventDefault();
    },
  },
};
