import { runTable } from "./suite.js";
import { workers } from "./workers-host.js";

runTable(workers);
