// What pages of the console do better with a script; each is complete without it.
(() => {
  'use strict';
  const mount = document.body.dataset.mount;
  const people = 'people' in document.body.dataset;
  const $ = (what, where = document) => where.querySelector(what);
  const all = (what, where = document) => [...where.querySelectorAll(what)];
  const make = (name, set = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(set)) key in element ? (element[key] = value) : element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // Charts: a point under the pointer, or under the arrow keys, is told in words.
  for (const chart of all('[data-chart]')) {
    const [readout, plot, slots] = [$('[data-readout]', chart), $('.plot', chart), all('.slot', chart)];
    const sentence = readout.textContent;
    let here = -1;
    const show = (at) => {
      slots[here]?.classList.remove('here');
      here = at;
      slots[here]?.classList.add('here');
      readout.classList.toggle('points', here >= 0);
      readout.textContent = here >= 0 ? slots[here].dataset.words : sentence;
    };
    const follow = (slot) => slot?.dataset.link && location.assign(slot.dataset.link);
    slots.forEach((slot, at) => {
      slot.addEventListener('pointerenter', () => show(at));
      slot.addEventListener('click', () => follow(slot));
    });
    plot.addEventListener('pointerleave', () => show(-1));
    Object.assign(plot, { tabIndex: 0, ariaLabel: `${$('title', chart).textContent}: points, by the arrow keys` });
    plot.setAttribute('role', 'group');
    readout.setAttribute('aria-live', 'polite');
    plot.addEventListener('blur', () => show(-1));
    plot.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') follow(slots[here]);
      const to = { ArrowLeft: here < 0 ? slots.length - 1 : here - 1, ArrowRight: here + 1, Home: 0, End: slots.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      show(Math.max(0, Math.min(slots.length - 1, to)));
    });
  }

  // The live tail: the same address as an event stream, whose events are rows.
  const live = $('[data-live]');
  if (live && window.EventSource) {
    const [table, news] = [$('[data-events]'), $('[data-news]')];
    const state = make('span', { className: 'beat' }, make('i'), make('span'));
    const pause = make('button', { className: 'button plain', type: 'button', textContent: 'Pause' });
    $('[data-refresh]', live).replaceWith(state, pause);
    state.setAttribute('role', 'status');
    let [source, last, paused, waiting] = [null, live.dataset.after, false, []];
    const say = (word, on) => {
      state.className = `beat ${on ? 'on' : 'off'}`;
      state.lastChild.textContent = word;
    };
    const most = 200;
    const put = (rows) => {
      $('[data-none]')?.remove();
      for (const html of rows) {
        const holder = document.createElement('template');
        holder.innerHTML = html;
        const row = holder.content.firstElementChild;
        if (!row) continue;
        row.classList.add('fresh');
        table.prepend(row);
      }
      while (table.children.length > most) table.lastElementChild.remove();
    };
    const tell = () => {
      news.hidden = waiting.length === 0;
      const button = make('button', { type: 'button', textContent: `${waiting.length >= most ? `${most} or more` : waiting.length} new` });
      button.addEventListener('click', () => {
        put(waiting.splice(0));
        tell();
        scrollTo({ top: 0 });
      });
      news.replaceChildren(button);
    };
    const reads = () => paused || scrollY > 120 || table.matches(':focus-within') || table.matches(':hover');
    const open = () => {
      const address = new URL(live.dataset.live, location.href);
      address.searchParams.set('after', last);
      source = new EventSource(address);
      say('connecting', false);
      source.onopen = () => say('live', true);
      source.onmessage = (event) => {
        last = event.lastEventId || last;
        waiting.push(event.data);
        if (reads()) {
          waiting = waiting.slice(-most);
          tell();
        } else put(waiting.splice(0));
      };
      source.addEventListener('gap', (event) => {
        const row = make('tr', {}, make('td', { colSpan: 6, className: 'soft', textContent: `${event.data} events came faster than this page could take them, and are not here` }));
        table.prepend(row);
      });
      source.onerror = () => say(source.readyState === 2 ? 'ended: load the page again' : 'connecting again', false);
    };
    const close = () => {
      source?.close();
      source = null;
      say('paused', false);
    };
    document.addEventListener('visibilitychange', () => (document.hidden ? close() : paused || open()));
    pause.addEventListener('click', () => {
      paused = !paused;
      pause.textContent = paused ? 'Go on' : 'Pause';
      paused ? close() : (put(waiting.splice(0)), tell(), open());
    });
    addEventListener('pagehide', close);
    document.hidden || open();
  }

  // Keys, and whatever can be gone to by typing.
  const entries = () => {
    const links = all('.side nav a[href]').map((link) => ({ text: link.textContent.trim(), href: link.href, kind: link.closest('[data-acts]') ? 'act' : 'page' }));
    return links;
  };
  const guesses = (text) => {
    const value = encodeURIComponent(text);
    const found = [];
    if (/^https?:\/\//.test(text)) found.push({ text: `Explain ${text}`, href: `${mount}/explain?url=${value}`, kind: 'explain' });
    if (people) {
      found.push({ text: `People called ${text}`, href: `${mount}/people?name=${value}`, kind: 'people' });
      found.push({ text: `Sign-ins of ${text}`, href: `${mount}/sessions?user=${value}`, kind: 'sessions' });
      found.push({ text: `Events of the person ${text}`, href: `${mount}/events?span=week&user=${value}`, kind: 'events' });
      if (/^[\w-]{6,64}$/.test(text)) found.push({ text: `The request ${text}`, href: `${mount}/request?id=${value}`, kind: 'request' });
    }
    return found;
  };
  let palette;
  const openPalette = () => {
    palette ??= makePalette();
    palette.open || palette.showModal();
    const field = $('input', palette);
    field.value = '';
    field.dispatchEvent(new Event('input'));
  };
  function makePalette() {
    const list = make('ul', { id: 'palette-list', role: 'listbox', ariaLabel: 'Found' });
    const field = make('input', { type: 'text', placeholder: 'Go to, or type a user, a request’s id, an address', ariaLabel: 'Go to', autocomplete: 'off', spellcheck: false, role: 'combobox' });
    field.setAttribute('aria-controls', 'palette-list');
    field.setAttribute('aria-expanded', 'true');
    const dialog = make('dialog', { className: 'palette', ariaLabel: 'Go to' }, field, list);
    let at = 0;
    const choose = (next) => {
      const items = [...list.children];
      at = items.length ? (next + items.length) % items.length : 0;
      items.forEach((item, number) => item.setAttribute('aria-selected', String(number === at)));
      items[at] ? field.setAttribute('aria-activedescendant', items[at].id) : field.removeAttribute('aria-activedescendant');
      items[at]?.scrollIntoView({ block: 'nearest' });
    };
    field.addEventListener('input', () => {
      const text = field.value.trim();
      const fits = entries().filter((entry) => entry.text.toLowerCase().includes(text.toLowerCase()));
      const found = text ? [...fits, ...guesses(text)] : fits;
      list.replaceChildren(...found.map((entry, number) => {
        const item = make('li', { id: `palette-${number}`, role: 'option' }, make('a', { href: entry.href, tabIndex: -1 }, make('span', { textContent: entry.text }), make('small', { textContent: entry.kind })));
        return item;
      }));
      choose(0);
    });
    field.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown') choose(at + 1);
      else if (event.key === 'ArrowUp') choose(at - 1);
      else if (event.key === 'Enter') $('a', list.children[at] ?? list)?.click();
      else return;
      event.preventDefault();
    });
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
    return dialog;
  }

  const keys = [['Ctrl K', 'Go to a page, a person, a request'], ['/', 'To the first field'], ['j  k', 'To the next row, and back'], ['Enter', 'Open what the row leads to'], ['←  →', 'Along the points of a chart'], ['?', 'This']];
  let help;
  const openHelp = () => {
    if (!help) {
      const rows = keys.flatMap(([key, what]) => [make('dt', {}, ...key.split('  ').flatMap((one) => [make('kbd', { textContent: one }), ' '])), make('dd', { textContent: what })]);
      help = make('dialog', { className: 'help', ariaLabel: 'Keys' }, make('h2', { textContent: 'Keys' }), make('dl', {}, ...rows));
      help.addEventListener('click', (event) => event.target === help && help.close());
      document.body.append(help);
    }
    help.open || help.showModal();
  };

  let row = -1;
  const toRow = (step) => {
    const rows = all('main tbody tr').filter((one) => one.checkVisibility());
    if (!rows.length) return;
    rows[row]?.classList.remove('cursor');
    row = Math.max(0, Math.min(rows.length - 1, row + step));
    rows[row].classList.add('cursor');
    ($('a[href]', rows[row]) ?? rows[row]).focus?.({ preventScroll: true });
    rows[row].scrollIntoView({ block: 'nearest' });
  };
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      openPalette();
      return;
    }
    const writes = event.target.closest?.('input, textarea, select, dialog');
    if (writes || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { '?': openHelp, '/': () => $('main input:not([type="hidden"])')?.focus(), j: () => toRow(1), k: () => toRow(-1) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  // Whoever does not know of the keys is told.
  const hint = make('p', { className: 'hint' });
  const button = (text, act) => {
    const element = make('button', { type: 'button' }, ...text);
    element.addEventListener('click', act);
    return element;
  };
  hint.append(button([make('kbd', { textContent: 'Ctrl K' }), ' go to'], openPalette), ' · ', button([make('kbd', { textContent: '?' }), ' keys'], openHelp));
  $('.who')?.before(hint);
})();
