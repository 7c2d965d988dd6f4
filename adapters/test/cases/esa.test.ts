import { esa } from "./esa-host.js";
import { runTable } from "./suite.js";

runTable(esa("esa", "node"));
