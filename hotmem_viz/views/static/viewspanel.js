// A panel with a view for each recording, side by side.

export class ViewsPanel {
  /** holder: the element that holds the views; between: css pixels from one to the next. */
  constructor(holder, between, makeView) {
    this.el = holder;
    this.holder = holder;
    this.between = between;
    this.makeView = makeView;
    this.pool = [];
    this.views = [];
  }

  load(sides) {
    this.views = sides.map((side, i) => {
      const view = (this.pool[i] ??= this.makeView());
      view.load(side, sides.length > 1);
      return view;
    });
    this.holder.replaceChildren(...this.views.map(({ el }) => el));
  }

  draw(_sides, { theme }) {
    for (const view of this.views) view.draw(theme);
  }

  /** The css pixels that all views can do with beside one another. */
  get narrowest() {
    const n = Math.max(1, this.views.length);
    return n * this.constructor.narrowest + (n - 1) * this.between;
  }

  /** What each view gets of a width. */
  share(width) {
    const n = this.views.length;
    return Math.floor((width - (n - 1) * this.between) / n);
  }

  least(width) {
    return Math.max(...this.views.map((view) => view.least(this.share(width))));
  }

  resize(width, height) {
    return Math.max(...this.views.map((view) => view.resize(this.share(width), height)));
  }
}
