// A Blazor page in headless Chromium, whose button works in a circuit. Argument: the address.
import { contextOf, launch } from "./chromium.mjs";

const [, , address] = process.argv;
const browser = await launch();
try {
  const page = await (await contextOf(browser)).newPage();
  page.on("console", (message) => console.log("console", message.text()));
  page.on("pageerror", (error) => console.log("pageerror", error.message));
  // The button works once the circuit is connected.
  await page.goto(address);
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText("1 ordered").waitFor();
} finally {
  await browser.close();
}
