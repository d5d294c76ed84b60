/** Connect's declarations name it; TypeScript has it in the browser's library only. */
type HeadersInit = NonNullable<ConstructorParameters<typeof Headers>[0]>;
