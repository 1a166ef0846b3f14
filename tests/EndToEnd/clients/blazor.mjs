// A Blazor page in headless Chromium, whose button works in a circuit. Arguments: the address, the browser.
import { chromium } from "playwright-core";

const [, , address, program] = process.argv;
const browser = await chromium.launch({ executablePath: program, args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
try {
  const page = await browser.newPage();
  page.on("console", (message) => console.log("console", message.text()));
  page.on("pageerror", (error) => console.log("pageerror", error.message));
  // The button works once the circuit is connected.
  await page.goto(address);
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText("1 ordered").waitFor();
} finally {
  await browser.close();
}
