// Services of another stack, by contracts that are not ours: the department's exchange and the registry.
// They keep what they get in memory and tell of it at /ledger; /control says what they do next.
// Usage: node services.js PORT
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const soap = require("soap");

const held = { exchange: new Map(), registry: new Map() };
const batches = new Map();
let next = {};
let number = 0;

const list = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
const wsdl = (name) => fs.readFileSync(path.join(__dirname, "contracts", `${name}.wsdl`), "utf8");

function keep(service, id, version, event, content) {
  const before = held[service].get(id) ?? { version: 0, received: 0, taken: [] };
  const doubled = before.taken.includes(version);
  const after = { version: Math.max(before.version, version), received: before.received + 1, event, content,
    taken: doubled ? before.taken : [...before.taken, version], doubled: (before.doubled ?? 0) + (doubled ? 1 : 0) };
  held[service].set(id, after);
}

// What is to happen to this call: a lost answer, or a fault with a code of its own.
function interrupted(request, detail) {
  if (next.fault) {
    const code = next.fault;
    next.fault = null;
    throw { Fault: { faultcode: "soap:Server", faultstring: "busy", detail: detail(code), statusCode: 500 } };
  }
}
function lost(request) {
  if (next.drop) {
    next.drop -= 1;
    request.socket.destroy();
    return true;
  }
  return false;
}

const line = (id, version, status, error) => ({
  attributes: { phienban: version },
  Ma: id,
  TrangThai: { attributes: error ? { ma: status, loi: error } : { ma: status } },
});

const exchange = { TrucHocBa: { TrucHocBa: {
  GuiGoi(asked, answer, _headers, request) {
    interrupted(request, (code) => ({ LoiHeThong: { attributes: { so: code } } }));
    const cards = list(asked.NoiDung.HocBa);
    if (Number(asked.DauGoi.SoLuong) !== cards.length) throw new Error("count");
    const receipt = `BN-${++number}`;
    const lines = [];
    const waiting = [];
    cards.forEach((card, place) => {
      const { phienban, sukien } = card.attributes;
      const refused = (next.refuse ?? []).includes(card.Ma);
      if (!refused) keep("exchange", card.Ma, Number(phienban), sukien, card);
      if (place % 2) waiting.push([card.Ma, Number(phienban)]);
      else lines.push(refused ? line(card.Ma, phienban, "KHONG_DAT", "L12") : line(card.Ma, phienban, "DAT"));
    });
    batches.set(receipt, waiting);
    if (lost(request)) return;
    answer({ BienNhan: { attributes: { so: receipt } }, BangKe: { Dong: lines } });
  },
  HoiGoi(asked) {
    const lines = batches.get(asked.BienNhan.attributes.so).map(([id, version]) =>
      (next.refuse ?? []).includes(id) ? line(id, version, "KHONG_DAT", "L12") : line(id, version, "DAT"));
    return { BangKe: { Dong: lines } };
  },
  TraCuu(asked) {
    const found = held.exchange.get(asked.Ma);
    return found ? { Dong: line(asked.Ma, found.version, "DAT") } : {};
  },
  KeKhai(asked) {
    const { tu, soDong } = asked.Loc.attributes ?? {};
    const wanted = list(asked.Loc.Ma);
    const ids = [...held.exchange.keys()].sort().filter((id) => (wanted.length ? wanted.includes(id) : id > (tu ?? "")));
    const page = ids.slice(0, Number(soDong));
    return { Trang: {
      attributes: ids.length > page.length ? { tiep: page.at(-1) } : {},
      Dong: page.map((id) => ({
        attributes: { nam: "2025-2026", phienban: held.exchange.get(id).version,
          con: held.exchange.get(id).event === "CANCEL" ? "huy" : "co" },
        $value: id,
      })),
    } };
  },
} } };

const registry = { Registry: { Registry: {
  Submit(asked, answer, _headers, request) {
    const cards = list(asked.cards.card);
    const receipt = String(++number);
    for (const card of cards) keep("registry", card.attributes.id, Number(card.attributes.revision), asked.sender, card.$value);
    batches.set(receipt, cards.map((card) => card.attributes.id));
    if (lost(request)) return;
    answer({ receipt: { attributes: { number: receipt } } });
  },
  Results(asked) {
    const status = next.waiting ? "waiting" : "kept";
    return { outcomes: { outcome: batches.get(asked.receipt).map((id) => ({ attributes: { id, status } })) } };
  },
  Find(asked) {
    const found = held.registry.get(asked.id);
    return { state: { attributes: found ? { revision: found.version, status: "kept" } : { status: "none" } } };
  },
} } };

const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (request.url === "/control") {
      next = JSON.parse(body);
      for (const id of next.forget ?? []) held.exchange.delete(id);
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ exchange: Object.fromEntries(held.exchange), registry: Object.fromEntries(held.registry) }));
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  soap.listen(server, "/truc", exchange, wsdl("exchange"));
  soap.listen(server, "/registry", registry, wsdl("registry"));
  console.log("ready");
});
