import { node } from "./node-host.js";
import { runTable } from "./suite.js";

runTable(node);
