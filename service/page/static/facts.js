// What the service wrote into the page about itself.

export const facts = JSON.parse(document.getElementById("facts").textContent);

/** A file name that says what the recording is, the path in examples/, and who reads. */
const example = (path, name) => ({ path: `audio/${path}.opus`, name });

/** Recordings of examples/, where the service has them: see examples/README.md. */
export const EXAMPLES = facts.examples
  ? {
      enrol: [
        example("1998/1998-15444-0002", "Bea"),
        example("3005/3005-163389-0003", "Dan"),
        example("367/367-130732-0002", "Ann"),
        example("2414/2414-128291-0004", "Carl"),
      ],
      identify: [
        example("1998/1998-15444-0005", "Bea"),
        example("3005/3005-163389-0006", "Dan"),
        example("367/367-130732-0007", "Ann"),
        example("2414/2414-128291-0005", "Carl"),
        example("533/533-1066-0002", null),
      ],
      conversation: [
        { path: "conversations/1998-3005.opus", name: "Bea, Dan" },
        { path: "conversations/2414-367.opus", name: "Ann, Carl" },
      ],
      finetune: ["1998/1998-15444-0002", "1998/1998-15444-0005", "2414/2414-128291-0004", "2414/2414-128291-0005"]
        .concat(["2609/2609-156975-0002", "2609/2609-156975-0006", "3005/3005-163389-0003", "3005/3005-163389-0006"])
        .concat(["367/367-130732-0002", "367/367-130732-0007", "533/533-1066-0001", "533/533-1066-0002"])
        .map((path) => example(path, null)),
    }
  : { enrol: [], identify: [], conversation: [], finetune: [] };

/** Loads an example as a file. */
export async function loadExample({ path }) {
  const answer = await fetch(`page/examples/${path}`);
  return new File([await answer.blob()], path.split("/").pop(), { type: "audio/ogg" });
}
