/** What the page says, in both languages. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FAULTS, PRESETS, TICKS_PER_SECOND } from "../../../playground/presets.js";
import { isWord, languageOf, sayer, WORDS } from "../../../playground/words.js";
import { load } from "./simulation.js";

const PAGE = join(import.meta.dirname, "../../../playground/index.html");

test("both_languages_say_the_same_things_with_the_same_values", () => {
  assert.deepEqual(Object.keys(WORDS.zh), Object.keys(WORDS.en));
  const values = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const word of Object.keys(WORDS.en).filter(isWord)) {
    assert.deepEqual(values(WORDS.zh[word]), values(WORDS.en[word]), word);
    assert.notEqual(WORDS.zh[word], "", word);
  }
});

test("there_is_a_word_for_everything_that_can_be_shown", async () => {
  const policies = (await load()).policies();
  for (const word of [
    ...policies.flatMap((name) => [`policy.${name}`, `policy.${name}.about`]),
    ...Object.keys(PRESETS).flatMap((name) => [`preset.${name}`, `preset.${name}.about`]),
    ...FAULTS.map((fault) => `fault.${fault}`),
  ]) {
    assert.ok(isWord(word), word);
  }
});

test("what_the_page_says_of_a_scene_is_what_happens_in_it", async () => {
  const { policies, start } = await load();
  const drawn = start(1, policies(), [{ roundTripMs: 40, fault: "none" }], "long");
  assert.deepEqual([drawn.locations.length, drawn.requestsPerSecond], [12, 60]);
  assert.match(WORDS.en.about, /twelve edge locations, sixty requests a second/);
  for (const [name, { changes }] of Object.entries(PRESETS)) {
    const about = `preset.${name}.about`;
    assert.ok(isWord(about));
    for (const { tick } of changes) {
      const seconds = tick / TICKS_PER_SECOND;
      const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      assert.ok(WORDS.en[about].includes(time) && WORDS.zh[about].includes(time), name);
    }
  }
});

test("the_text_of_the_page_is_english_until_its_script_runs", () => {
  const html = readFileSync(PAGE, "utf8");
  const places = [...html.matchAll(/data-word="([^"]+)"[^>]*>([^<]*)</g)];
  assert.ok(places.length > 15, "the page has places for words");
  for (const [, word = "", text] of places) {
    assert.ok(isWord(word), word);
    assert.equal(text, WORDS.en[word]);
  }
});

test("the_language_is_that_of_the_link_or_of_the_browser", () => {
  assert.equal(languageOf("zh", ["en"]), "zh");
  assert.equal(languageOf(undefined, ["fr-FR", "zh-TW", "en"]), "zh");
  assert.equal(languageOf("tlh", ["en-GB"]), "en");
  assert.equal(languageOf(undefined, []), "en");
});

test("values_stand_in_their_places", () => {
  assert.equal(sayer("zh")("told.recovered", { target: "C" }), "C 已恢复");
});
