import type { DescFile, DescMessage, DescService } from '@bufbuild/protobuf';
import { toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';

/** What v1 and v1alpha have in common, which is everything but the name of the package. */
interface Question {
  readonly host: string;
  readonly messageRequest:
    | { readonly case: 'fileByFilename' | 'fileContainingSymbol'; readonly value: string }
    | { readonly case: 'allExtensionNumbersOfType' | 'listServices'; readonly value: string }
    | { readonly case: 'fileContainingExtension'; readonly value: { readonly containingType: string } }
    | { readonly case: undefined };
}
type Answer =
  | { readonly case: 'fileDescriptorResponse'; readonly value: { readonly fileDescriptorProto: Uint8Array[] } }
  | { readonly case: 'allExtensionNumbersResponse'; readonly value: { readonly baseTypeName: string } }
  | { readonly case: 'listServicesResponse'; readonly value: { readonly service: { readonly name: string }[] } }
  | { readonly case: 'errorResponse'; readonly value: { readonly errorCode: Code; readonly errorMessage: string } };

/** Answers the questions of reflection from the descriptors of the generated code. */
export function reflection(services: readonly DescService[]): {
  serverReflectionInfo<Q extends Question>(
    questions: AsyncIterable<Q>,
  ): AsyncGenerator<{ validHost: string; originalRequest: Q; messageResponse: Answer }>;
} {
  const files = new Map<string, DescFile>();
  for (const { file } of services) for (const each of withImports(file)) files.set(each.proto.name, each);
  const symbols = new Map<string, DescFile>();
  const messages = new Set<string>();
  for (const file of files.values()) {
    for (const name of symbolsOf(file)) symbols.set(name, file);
    for (const { typeName } of allMessages(file.messages)) messages.add(typeName);
  }

  const answerTo = ({ messageRequest: asked }: Question): Answer => {
    switch (asked.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: services.map(({ typeName: name }) => ({ name })) } };
      case 'fileByFilename':
        return filesAnswer(files.get(asked.value), asked.value);
      case 'fileContainingSymbol':
        return filesAnswer(symbols.get(asked.value), asked.value);
      case 'allExtensionNumbersOfType':
        if (!messages.has(asked.value)) return notFound(asked.value);
        return { case: 'allExtensionNumbersResponse', value: { baseTypeName: asked.value } };
      case 'fileContainingExtension':
        return notFound(`an extension of ${asked.value.containingType}`);
      case undefined:
        return { case: 'errorResponse', value: { errorCode: Code.InvalidArgument, errorMessage: 'nothing is asked' } };
    }
  };
  return {
    async *serverReflectionInfo(questions) {
      for await (const question of questions) {
        yield { validHost: question.host, originalRequest: question, messageResponse: answerTo(question) };
      }
    },
  };
}

function filesAnswer(file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) return notFound(asked);
  const fileDescriptorProto = withImports(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function notFound(what: string): Answer {
  return {
    case: 'errorResponse',
    value: { errorCode: Code.NotFound, errorMessage: `there is no ${what.slice(0, 200)}` },
  };
}

/** The file itself first. */
function withImports(file: DescFile): DescFile[] {
  return [...new Set([file, ...file.dependencies.flatMap(withImports)])];
}

function symbolsOf({ services, messages, enums }: DescFile): string[] {
  const nested = allMessages(messages);
  return [
    ...services.flatMap(({ typeName, methods }) => [typeName, ...methods.map(({ name }) => `${typeName}.${name}`)]),
    ...nested.map(({ typeName }) => typeName),
    ...[...enums, ...nested.flatMap(({ nestedEnums }) => nestedEnums)].map(({ typeName }) => typeName),
  ];
}

function allMessages(messages: readonly DescMessage[]): DescMessage[] {
  return messages.flatMap((message) => [message, ...allMessages(message.nestedMessages)]);
}
