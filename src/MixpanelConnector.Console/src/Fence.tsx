import { Component, type ReactNode } from "react";
import type { Problem } from "./api.ts";
import { asProblem, PageTitle, ProblemAlert } from "./parts.tsx";

/** Keeps a page that breaks from taking the others with it. React has no other way for this than a class. */
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
