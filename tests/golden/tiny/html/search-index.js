/* Name, kind, place, first sentence. */
var searchIndex = [
  ["Box", "interface", "Box.html", "A box"],
  ["Box.put", "call", "Box.html#Box.put", "Put a thing into the box"],
  ["Box.look", "call", "Box.html#Box.look", "Look into the box"],
  ["label", "type", "types.html#type-label", "A name for people."],
  ["colour", "type", "types.html#type-colour", "What it looks like."],
  ["colour.Plain", "case", "types.html#type-colour.Plain", "It has no colour."],
  ["colour.Mixed", "case", "types.html#type-colour.Mixed", "Colours and their shares."],
  ["thing", "type", "types.html#type-thing", "What is in a box."],
  ["thing.label", "member", "types.html#type-thing.label", "Its name."],
  ["thing.size", "member", "types.html#type-thing.size", "In millimetres."],
  ["thing.weight", "member", "types.html#type-thing.weight", "In \"grams\" \\ really."],
  ["thing.fragile", "member", "types.html#type-thing.fragile", "Handle with care."],
  ["thing.colour", "member", "types.html#type-thing.colour", "Its colour."],
  ["thing.notes", "member", "types.html#type-thing.notes", "Anything else: names with texts that are long enough for more than one line."],
  ["Glued", "error", "errors.html#error-Glued", "The box is glued shut."],
  ["BOX_PUT", "feature", "features.html#feature-BOX_PUT", "The box takes things."]
];
