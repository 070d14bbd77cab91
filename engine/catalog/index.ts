// The door of engine/catalog.
export { type Added, type AddRequest, addPackage } from "./add.ts";
export type { DescribedDefinition } from "./describe.ts";
export { type CatalogRequest, type Found, type FoundPackage, type SearchedRegistry, searchCatalog } from "./search.ts";
export { type CatalogPage, type ShownModule, showPackage } from "./show.ts";
