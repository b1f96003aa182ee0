"use client";

export default function ErrorPage() {
  return (
    <main className="narrow">
      <div role="alert">
        <h1>Nobody answers</h1>
        <p>The page could not be loaded. Is the auth service running?</p>
      </div>
      <button type="button" onClick={() => window.location.reload()}>
        Try again
      </button>
    </main>
  );
}
