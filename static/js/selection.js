/* The checkboxes of a list: ranges by Shift, the whole page, and the announced number of checked ones.
 * It imports nothing, not even dom.js, which would be one more file for a first visit to load. */

const boxes = () => [...document.querySelectorAll('#selection [name="order"]')];

/* The box that was clicked last, from which Shift checks or clears a range. */
let last;

function check(some, isChecked) {
  for (const box of some) {
    box.checked = isChecked;
  }
}

/* Captured, to run before the listener of the list, which follows links. */
document.addEventListener(
  "click",
  (event) => {
    const { target } = event;
    const all = boxes();
    if (all.includes(target)) {
      const [from, to] = [all.indexOf(last), all.indexOf(target)].sort((a, b) => a - b);
      if (event.shiftKey && from >= 0) {
        check(all.slice(from, to), target.checked);
      }
      last = target;
    } else if (target.matches("a[data-check]")) {
      event.preventDefault();
      check(all, target.dataset.check);
      target.closest("form").dispatchEvent(new Event("change", { bubbles: true }));
    } else if (target.matches("[data-check]")) {
      check(all, target.checked);
    }
  },
  true,
);

document.addEventListener("change", ({ target }) => {
  const form = document.getElementById("selection");
  if (form?.contains(target)) {
    const { all, order, "select-page": page } = form.elements;
    const count = boxes().filter((box) => box.checked).length;
    const isWhole = count === (order.length ?? 1);
    check([page ?? {}], isWhole);
    check(isWhole || !all ? [] : [all], false);
    const text = all?.checked ? "All that match selected" : `${count} selected`;
    document.getElementById("live").textContent = text;
  }
});
