import { createContext, useContext } from "react";
import type { Server } from "./api.ts";

/** What every page may need. */
export interface Session {
  server: Server;
  /** Whether the user has allowed changes. */
  mayChange: boolean;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  return useContext(SessionContext)!;
}
