import "@mantine/core/styles.css";
import "./style.css";
import { createTheme, MantineProvider } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";

const theme = createTheme({ primaryColor: "violet", defaultRadius: "md", respectReducedMotion: true, cursorType: "pointer" });

// Style elements that a script writes would need a hole in the policy of what the page may do: all styles are in the sheet.
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <App />
    </MantineProvider>
  </StrictMode>,
);
