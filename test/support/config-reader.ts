import type { ConfigReader, ConfigSection } from '../../src/config/section.ts'

/** A running configuration of defaults with some sections set. */
export class TestConfig implements ConfigReader {
  readonly #values = new Map<string, unknown>()

  set<T>(section: ConfigSection<T>, value: T): this {
    this.#values.set(section.name, value)
    return this
  }

  get<T>(section: ConfigSection<T>): T {
    return this.#values.has(section.name) ? (this.#values.get(section.name) as T) : section.defaults
  }
}
