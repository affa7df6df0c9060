// What drivers read, in the words of their trade.

export const KINDS = {
  deliver: { name: "Delivery", done: "Delivered", part: "Delivered in part", not: "Could not deliver", who: "Who received it?", goods: "What was handed over?" },
  collect: { name: "Collection", done: "Collected", part: "Collected in part", not: "Could not collect", who: "Who handed it over?", goods: "What was taken along?" },
  serve: { name: "Service", done: "Work done", part: "Done in part", not: "Could not do the work", who: "Who was there?", goods: "What was used?" },
};

export const REASONS = {
  nobody_home: "Nobody there",
  refused: "Customer refused",
  wrong_address: "Wrong address",
  no_access: "No access (gate, code, lift)",
  closed: "Business closed",
  unsafe: "Not safe (dog, ice, building site)",
  damaged: "Goods damaged",
  missing_items: "Items missing",
  no_id: "No valid ID shown",
  no_payment: "Payment not made",
  no_time: "Out of time",
  vehicle: "Vehicle trouble",
  weather: "Weather",
  other: "Something else",
};
export const AT_THE_DOOR = ["nobody_home", "refused", "no_access", "closed", "wrong_address", "damaged", "missing_items", "no_id", "no_payment", "unsafe", "other"];
export const NOT_TRIED = ["no_time", "vehicle", "weather", "missing_items", "damaged", "closed", "unsafe", "other"];

export const DEMANDS = {
  photo: "Photo",
  signature: "Signature",
  name: "Name",
  note: "Note",
  pin: "Customer's code",
  lines: "Every line ticked",
};

export const ROLES = { recipient: "Customer", buyer: "Customer", site: "On site", shipper: "Sender" };

export const ACTS = {
  start_shift: "Shift started",
  end_shift: "Shift ended",
  start_break: "Break begun",
  end_break: "Break over",
  acknowledge: "Route change seen",
  load: "All loaded",
  take_over: "Load taken on board",
  head_for: "On the way",
  arrive: "Arrived",
  not_arrived: "Not there yet",
  leave: "Left",
};

export function ended(job) {
  const words = KINDS[job.kind] ?? KINDS.deliver;
  switch (job.outcome) {
    case "succeeded": return words.done;
    case "partial": return words.part;
    case "cancelled": return "Cancelled";
    case "skipped": return `Not today: ${REASONS[job.reason] ?? job.reason}`;
    default: return `${words.not}: ${REASONS[job.reason] ?? job.reason}`;
  }
}
