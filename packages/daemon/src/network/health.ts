/**
 * Whether this node is well, for whoever asks: GET /health, and Check of grpc.health.v1
 * (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). Why it is not well stays here.
 *
 * Left out: Watch, which would let strangers hold streams; clients then ask again with Check.
 */
import { create, createFileRegistry, type DescService } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { AppError } from '@helixmesh/protocol';
import type { FastifyInstance } from 'fastify';
import type { ServedService } from './grpc.ts';

const PACKAGE = 'grpc.health.v1';
/** Of HealthCheckResponse.ServingStatus. */
const SERVING = 1;
const NOT_SERVING = 2;

/** The contract as gRPC publishes it, without comments: too small for generated code of its own. */
const HEALTH_PROTO = create(FileDescriptorProtoSchema, {
  name: 'grpc/health/v1/health.proto',
  package: PACKAGE,
  syntax: 'proto3',
  messageType: [
    {
      name: 'HealthCheckRequest',
      field: [{ name: 'service', number: 1, label: Label.OPTIONAL, type: Type.STRING }],
    },
    {
      name: 'HealthCheckResponse',
      field: [
        {
          name: 'status',
          number: 1,
          label: Label.OPTIONAL,
          type: Type.ENUM,
          typeName: `.${PACKAGE}.HealthCheckResponse.ServingStatus`,
        },
      ],
      enumType: [
        {
          name: 'ServingStatus',
          value: [
            { name: 'UNKNOWN', number: 0 },
            { name: 'SERVING', number: SERVING },
            { name: 'NOT_SERVING', number: NOT_SERVING },
            { name: 'SERVICE_UNKNOWN', number: 3 },
          ],
        },
      ],
    },
  ],
  service: [
    {
      name: 'Health',
      method: [
        {
          name: 'Check',
          inputType: `.${PACKAGE}.HealthCheckRequest`,
          outputType: `.${PACKAGE}.HealthCheckResponse`,
        },
      ],
    },
  ],
});

export const HEALTH_SERVICE: DescService = healthService();

/** Answers GET /health; the service is for gRPC. */
export function healthOf(
  services: readonly DescService[],
  isHealthy: () => boolean,
): ServedService {
  const names = new Set(['', ...services.map(({ typeName }) => typeName)]);
  const check = ({ service }: { readonly service: string }) => {
    if (names.has(service)) return { status: isHealthy() ? SERVING : NOT_SERVING };
    throw new AppError('NOT_FOUND', 'this node does not serve that service', {
      hint: 'Ask for another service, or for none to learn of the whole node.',
    });
  };
  return {
    service: HEALTH_SERVICE,
    implementation: { check } as unknown as ServedService['implementation'],
    access: { check: { signedBy: 'nobody', scope: null } },
  };
}

export function serveHealth(server: FastifyInstance, isHealthy: () => boolean): void {
  server.get('/health', async (_request, reply) => {
    const isWell = isHealthy();
    return reply.code(isWell ? 200 : 503).send({ status: isWell ? 'ok' : 'failing' });
  });
}

function healthService(): DescService {
  const registry = createFileRegistry(HEALTH_PROTO, () => undefined);
  const service = registry.getService(`${PACKAGE}.Health`);
  if (service === undefined) throw new AppError('INTERNAL', 'the health contract has no service');
  return service;
}
