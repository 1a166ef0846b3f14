import { Component, type ReactNode } from "react";
import type { Problem } from "./api.ts";
import { asProblem, PageTitle, ProblemAlert } from "./parts.tsx";

/** An error boundary: keeps a page that throws from breaking the others. React requires a class for this. */
export class Fence extends Component<{ children: ReactNode }, { problem?: Problem }> {
  override state: { problem?: Problem } = {};

  static getDerivedStateFromError(error: unknown) {
    return { problem: asProblem(error) };
  }

  override render() {
    if (!this.state.problem) return this.props.children;
    return (
      <>
        <PageTitle about="The other pages still work, and stored data is not affected. Reload to try again, and please report this.">This page cannot be displayed</PageTitle>
        <ProblemAlert problem={this.state.problem} />
      </>
    );
  }
}
