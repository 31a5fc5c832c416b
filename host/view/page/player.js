"use strict";
// The player: what every PE does in a cycle, from the trace that the page carries. No library, no
// request; the state of a cycle is worked out from the trace alone, so any cycle can be shown next.
(() => {
  const root = document.getElementById("player");
  if (!root) return;
  const data = JSON.parse(document.getElementById("trace").textContent);
  const at = id => document.getElementById(id);
  const last = data.cycles - 1;
  const SVG = "http://www.w3.org/2000/svg";
  const MOST_SUMS = 16;  // accumulators of a PE that are shown at once
  const number = value => value.toLocaleString("en").replace("-", "−");

  const make = (tag, kind, text) => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const draw = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const activation = token => `a${data.tokens[token].input}`;
  const colour = pe => `of-pe-${pe % 8}`;

  // What is known of each PE before anything is shown ------------------------------------------

  for (const pe of data.pes) {
    pe.begins = pe.lengths.map(() => Infinity);
    pe.at = new Map();
    for (const entry of pe.entries) {
      pe.at.set(entry[0], entry);
      pe.begins[entry[1]] = Math.min(pe.begins[entry[1]], entry[0]);
    }
    pe.writes = new Map(pe.rows.map((row, local) => [row[2], local]));
    pe.end = Math.max(...pe.rows.map(row => row[2]));
    pe.lastEntry = pe.entries.length ? pe.entries[pe.entries.length - 1][0] : -1;
  }

  const stateOf = (pe, cycle) => {
    const sums = pe.rows.map(() => 0);
    const touched = pe.rows.map(() => false);
    for (const [when, , code, , row, product] of pe.entries) {
      if (when > cycle) break;
      if (code !== 0) sums[row] += product;
      touched[row] = true;
    }
    const tokens = [...pe.lengths.keys()];
    return {
      sums,
      touched,
      queue: tokens.filter(t => data.tokens[t].input >= 0 && pe.queued[t] <= cycle && cycle < pe.fetched[t]),
      fetch: tokens.find(t => pe.fetched[t] === cycle),
      work: tokens.filter(t => pe.lengths[t] > 0 && pe.offered[t] <= cycle && cycle < pe.begins[t]),
      entry: pe.at.get(cycle),
      write: pe.writes.get(cycle),
      full: pe.waited.some(t => data.tokens[t].sent <= cycle && cycle < pe.queued[t]),
    };
  };

  // Local rows whose accumulators are shown: all of a few, else those that were used last.
  const latest = (pe, cycle) => {
    if (pe.rows.length <= MOST_SUMS) return [...pe.rows.keys()];
    const found = new Set();
    pe.rows.forEach((row, local) => { if (row[2] <= cycle && row[2] > cycle - MOST_SUMS) found.add(local); });
    for (let at = pe.entries.length - 1; at >= 0 && found.size < MOST_SUMS; at--) {
      if (pe.entries[at][0] <= cycle) found.add(pe.entries[at][4]);
    }
    for (let local = 0; found.size < MOST_SUMS; local++) found.add(local);
    return [...found].sort((one, other) => one - other);
  };

  const doing = (pe, state, cycle) => {
    if (state.entry) return ["multiplies", "busy"];
    if (state.write !== undefined) return ["writes back", "writing"];
    if (cycle > pe.end) return ["done", "idle"];
    if (cycle > pe.lastEntry && pe.lengths.length === data.tokens.length) return ["waits to write back", "idle"];
    return ["waits for a column", "idle"];
  };

  // The matrix, with a above it and b beside it, as in the paper's figure 2 ---------------------

  const cells = new Map(), heads = [], sums = new Map();
  const matrix = at("matrix");
  const side = Math.max(8, Math.min(22, Math.floor(400 / Math.max(data.outputs, data.inputs))));
  const readable = side >= 16;
  const valueOf = new Map(data.tokens.filter(t => t.input >= 0).map(t => [t.input, t.value]));
  // All values above the columns, or none.
  const fitting = [...valueOf.values()].every(value => 6.6 * number(value).length < side - 1);
  if (matrix && data.matrix.length) {
    const left = readable ? 34 : 8, top = readable ? 44 : side + 10, right = readable ? 84 : 8;
    const width = left + side * data.inputs + right, height = top + side * data.rows.length + 6;
    matrix.setAttribute("viewBox", `0 0 ${width} ${height}`);
    matrix.setAttribute("width", width);
    matrix.setAttribute("height", height);
    for (let column = 0; column < data.inputs; column++) {
      const x = left + column * side;
      const zero = !valueOf.has(column);
      const head = draw("rect", { x: x + 1, y: top - side - 5, width: side - 2, height: side - 2, class: zero ? "a zero" : "a" });
      heads[column] = head;
      matrix.append(head);
      if (readable) {
        const name = draw("text", { x: x + side / 2, y: top - side - 10, class: "tiny soft middle" });
        name.textContent = `a${column}`;
        const value = draw("text", { x: x + side / 2, y: top - side / 2 - 2, class: "tiny middle value" });
        if (fitting) value.textContent = zero ? "0" : number(valueOf.get(column));
        matrix.append(name, value);
      }
    }
    if (readable) {
      const title = draw("text", { x: left + side * data.inputs + 8, y: top - side / 2 - 2, class: "tiny soft" });
      title.textContent = "sums, then b";
      matrix.append(title);
    }
    const place = new Map(data.rows.map((row, line) => [row, line]));
    const owner = new Map();
    for (const pe of data.pes) for (const row of pe.rows) owner.set(row[0], pe.pe);
    for (const [row, line] of [...place].sort((one, other) => one[0] - other[0]).map((pair, line) => [pair[0], line])) {
      place.set(row, line);
      const y = top + line * side;
      matrix.append(draw("rect", { x: left, y: y, width: side * data.inputs, height: side - 1, class: "row-ground" }));
      const kind = owner.has(row) ? colour(owner.get(row)) : "of-none";
      if (readable) {
        const name = draw("text", { x: left - 6, y: y + side / 2 + 4, class: `tiny end ${kind}` });
        name.textContent = owner.has(row) ? `PE ${owner.get(row)}` : "";
        const sum = draw("text", { x: left + side * data.inputs + 8, y: y + side / 2 + 4, class: "tiny sum" });
        sums.set(row, sum);
        matrix.append(name, sum);
      }
    }
    for (const [row, column, pe, weight] of data.matrix) {
      const cell = draw("rect", {
        x: left + column * side + 1, y: top + place.get(row) * side + 1, width: side - 2, height: side - 3, rx: 2,
        class: `w ${colour(pe)}`,
      });
      const tip = draw("title", {});
      tip.textContent = `weight of output ${row}, input ${column}: ${number(weight)}, in PE ${pe}`;
      cell.append(tip);
      cells.set(`${row},${column}`, cell);
      matrix.append(cell);
    }
  }

  // Time: a row for the broadcast and one for each PE ------------------------------------------

  const timeline = at("timeline");
  const LINE = 10;
  const lines = data.pes.length + 1;
  timeline.setAttribute("viewBox", `0 0 ${data.cycles} ${lines * LINE}`);
  for (let line = 0; line < lines; line++) {
    timeline.append(draw("rect", { x: 0, y: line * LINE + 1, width: data.cycles, height: LINE - 2, class: "lane" }));
  }
  const slot = (cycle, line, kind) =>
    timeline.append(draw("rect", { x: cycle + 0.06, y: line * LINE + 1, width: 0.88, height: LINE - 2, class: kind }));
  for (const token of data.tokens) if (token.input >= 0) slot(token.sent, 0, "sent");
  data.pes.forEach((pe, place) => {
    for (const entry of pe.entries) slot(entry[0], place + 1, `${colour(pe.pe)}`);
    for (const row of pe.rows) if (row[2] <= last) slot(row[2], place + 1, "written");
  });
  const cursor = draw("rect", { x: 0, y: 0, width: 1, height: lines * LINE, class: "cursor" });
  timeline.append(cursor);
  timeline.addEventListener("click", event => {
    const box = timeline.getBoundingClientRect();
    show(Math.floor((event.clientX - box.left) / box.width * data.cycles));
  });

  // The PEs, a row each -----------------------------------------------------------------------

  const table = at("pes");
  for (const pe of data.pes) {
    const row = make("div", `pe ${colour(pe.pe)}`);
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", `PE ${pe.pe}`);
    pe.parts = {};
    const head = make("div", "pe-head");
    head.append(make("b", "", `PE ${pe.pe}`), pe.parts.state = make("span", "state"));
    row.append(head);
    for (const [name, title] of [
      ["queue", "queue"], ["work", "columns waiting"], ["multiply", "multiplier"], ["sums", "accumulators"],
    ]) {
      const part = make("div", `part ${name}`);
      part.append(make("span", "part-name", title), pe.parts[name] = make("div", "part-body"));
      row.append(part);
    }
    if (pe.rows.length > MOST_SUMS) {
      row.querySelector(".sums .part-name").textContent = `accumulators: the ${MOST_SUMS} latest of ${pe.rows.length}`;
    }
    pe.sumCells = pe.rows.slice(0, MOST_SUMS).map(() => {
      const cell = make("span", "sum-cell");
      cell.append(make("i"), make("b"));
      pe.parts.sums.append(cell);
      return cell;
    });
    table.append(row);
  }
  // Accumulators keep their places, whatever is in them.
  const longest = Math.max(...data.pes.flatMap(pe => {
    const sums = pe.rows.map(() => 0);
    const texts = pe.entries.map(([, , , , row, product]) => number(sums[row] += product).length);
    return [...texts, ...pe.rows.map(([name, , , result]) => number(result).length), 1];
  }));
  const named = `b${Math.max(...data.pes.flatMap(pe => pe.rows.map(row => row[0])))}`.length;
  table.style.setProperty("--sum-width", `${longest + named + 2.4}ch`);

  const chips = (into, items, none) => {
    into.replaceChildren(...items.map(([text, kind]) => make("span", `chip ${kind || ""}`, text)));
    if (!items.length) into.append(make("span", "none", none));
  };

  // As many chips as have room in two lines of 9 rem, and how many more there are.
  const fits = texts => {
    let line = 0, filled = 0;
    for (const text of texts) {
      const wide = 7.4 * text.length + 18;
      if (filled && filled + wide > 150) {
        line++;
        filled = 0;
      }
      filled += wide;
    }
    return line < 2;
  };
  const few = items => {
    const texts = items.map(item => item[0]);
    if (fits(texts)) return items;
    let shown = items.length - 1;
    while (shown > 1 && !fits([...texts.slice(0, shown), `+${items.length - shown}`])) shown--;
    return [...items.slice(0, shown), [`+${items.length - shown}`]];
  };

  // One cycle ----------------------------------------------------------------------------------

  let cycle = 0, timer = null;
  const slider = at("cycle"), play = at("play"), said = at("said");

  const say = states => {
    const parts = [];
    const token = data.tokens.findIndex(t => t.sent === cycle);
    if (token >= 0 && data.tokens[token].input >= 0) {
      parts.push(`${activation(token)} = ${number(data.tokens[token].value)} is not zero: it is sent to every PE.`);
    } else if (token >= 0) {
      parts.push("No activation is left: the end of the layer is sent to every PE.");
    }
    const full = states.flatMap((state, place) => state.full ? [`PE ${data.pes[place].pe}`] : []);
    if (full.length) parts.push(`The broadcast waits: the queue of ${full.join(", ")} is full.`);
    const busy = states.filter(state => state.entry).length;
    const writing = states.filter(state => state.write !== undefined).length;
    const of = data.pes.length === 1 ? "the PE" : `of ${data.pes.length} PEs`;
    if (busy) parts.push(data.pes.length === 1 ? "The PE multiplies." : `${busy} ${of} multipl${busy === 1 ? "ies" : "y"}.`);
    if (writing) parts.push(data.pes.length === 1 ? "A row is written back." : `${writing} ${of} write${writing === 1 ? "s" : ""} a row back.`);
    if (cycle === 0) parts.unshift(`The first word of activations goes to the leading-non-zero detection; ${data.zeros.length} of ${data.inputs} are zero and take no time.`);
    if (cycle === last && data.collected.length) parts.push("The results are together: the layer is done.");
    return parts.join(" ") || "Nothing new: what was sent is on its way.";
  };

  const show = wanted => {
    cycle = Math.max(0, Math.min(last, wanted));
    const states = data.pes.map(pe => stateOf(pe, cycle));
    slider.value = cycle;
    slider.setAttribute("aria-valuetext", `cycle ${cycle} of ${last}`);
    at("now").textContent = `${cycle}`;
    cursor.setAttribute("x", cycle);
    said.textContent = say(states);

    const sent = data.tokens.filter(token => token.sent <= cycle).length;
    const from = Math.max(0, sent - 4);
    chips(at("sent"), data.tokens.slice(from, from + 14).flatMap((token, place) => token.input < 0 ? [] : [[
      `a${token.input} = ${number(token.value)}`,
      token.sent === cycle ? "now" : token.sent < cycle ? "past" : "",
    ]]), "no activation that is not zero");

    data.pes.forEach((pe, place) => {
      const state = states[place], parts = pe.parts;
      const [text, kind] = doing(pe, state, cycle);
      parts.state.textContent = text;
      parts.state.className = `state ${kind}`;
      chips(parts.queue, few([
        ...(state.fetch !== undefined && data.tokens[state.fetch].input >= 0
          ? [[`${activation(state.fetch)} × ${pe.lengths[state.fetch]}`, "now"]] : []),
        ...state.queue.map(token => [activation(token)]),
      ]), "empty");
      chips(parts.work, few(state.work.map(token => [
        `${activation(token)} × ${pe.lengths[token]}`, pe.taken[token] <= cycle ? "next" : "",
      ])), "none");
      if (state.entry) {
        const [, token, code, zeros, row, product] = state.entry;
        const line = make("span", "product");
        line.append(
          make("span", "entry", `v ${code}, z ${zeros}`),
          make("span", "", code ? ` ▸ ${number(data.codebook[code])} × ${number(data.tokens[token].value)} = ` : " ▸ padding: "),
          make("b", "", code ? number(product) : `row ${row}`),
          make("span", "", code ? ` ▸ b${pe.rows[row][0]}` : " is passed"),
        );
        parts.multiply.replaceChildren(line);
      } else if (state.write !== undefined) {
        const [name, bias, , result] = pe.rows[state.write];
        const line = make("span", "product");
        line.append(
          make("span", "", name < 0 ? "padding row: " : `b${name}: ${number(state.sums[state.write])} + ${number(bias)} ▸ `),
          make("b", "", number(result)),
          make("span", "", data.relu && name >= 0 && state.sums[state.write] + bias < 0 ? " by ReLU" : ""),
        );
        parts.multiply.replaceChildren(line);
      } else {
        parts.multiply.replaceChildren(make("span", "none", "–"));
      }
      latest(pe, cycle).forEach((local, index) => {
        const [name, , when, result] = pe.rows[local];
        const cell = pe.sumCells[index];
        cell.firstChild.textContent = name < 0 ? "–" : `b${name}`;
        const hit = state.entry && state.entry[4] === local && state.entry[2] !== 0;
        cell.className = `sum-cell${hit ? " hit" : ""}${when <= cycle ? " out" : ""}${when === cycle ? " leaves" : ""}${name < 0 ? " pad" : ""}`;
        cell.lastChild.textContent = when <= cycle ? number(result) : state.touched[local] ? number(state.sums[local]) : "0";
      });
    });

    if (cells.size) {
      for (const cell of cells.values()) cell.classList.remove("done", "hit");
      heads.forEach((head, column) => head.classList.remove("now", "past"));
      for (const token of data.tokens) {
        if (token.input < 0 || token.sent > cycle) continue;
        heads[token.input].classList.add(token.sent === cycle ? "now" : "past");
      }
      data.pes.forEach((pe, place) => {
        for (const [when, token, code, , row] of pe.entries) {
          if (when > cycle || code === 0) continue;
          const cell = cells.get(`${pe.rows[row][0]},${data.tokens[token].input}`);
          if (cell) cell.classList.add(when === cycle ? "hit" : "done");
        }
        pe.rows.forEach(([name, , when, result], local) => {
          const sum = sums.get(name);
          if (!sum) return;
          const out = when <= cycle;
          sum.textContent = out ? `b${name} = ${number(result)}` : states[place].touched[local] ? number(states[place].sums[local]) : "";
          sum.classList.toggle("strong", out);
        });
      });
    }
  };

  // Controls -----------------------------------------------------------------------------------

  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.setAttribute("aria-pressed", "false");
    play.querySelector("span").textContent = "Play";
    root.classList.remove("playing");
    said.setAttribute("aria-live", "polite");
  };
  const start = () => {
    if (cycle === last) show(0);
    said.setAttribute("aria-live", "off");  // sixty sentences a minute are no help
    play.setAttribute("aria-pressed", "true");
    play.querySelector("span").textContent = "Pause";
    root.classList.add("playing");
    timer = setInterval(() => cycle < last ? show(cycle + 1) : stop(), Number(at("speed").value));
  };
  const step = by => { stop(); show(cycle + by); };
  play.addEventListener("click", () => timer === null ? start() : stop());
  at("first").addEventListener("click", () => step(-last));
  at("back").addEventListener("click", () => step(-1));
  at("next").addEventListener("click", () => step(1));
  at("last").addEventListener("click", () => step(last));
  at("speed").addEventListener("change", () => { if (timer !== null) { stop(); start(); } });
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  root.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target === at("speed")) return;
    const keys = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -last, End: last };
    if (event.key in keys) {
      event.preventDefault();
      step(keys[event.key]);
    } else if (event.key === " " && event.target.tagName !== "BUTTON") {
      event.preventDefault();
      play.click();
    }
  });
  slider.max = last;
  at("end").textContent = `${last}`;
  root.hidden = false;
  show(0);
  window.eiePlayer = { show, state: () => ({ cycle, last, playing: timer !== null }) };
})();
