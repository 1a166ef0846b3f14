// Publishes two events to RabbitMQ, from which `mixpanel consume` sends them to Mixpanel. npm install amqplib
//
//   node publish.mjs amqp://localhost/events
import { randomUUID } from 'node:crypto'
import amqp from 'amqplib'

const address = new URL(process.argv[2])
const path = address.pathname.slice(1).split('/').map(decodeURIComponent)
const queue = path.pop()
const connection = await amqp.connect({
  protocol: address.protocol.slice(0, -1),
  hostname: address.hostname,
  port: Number(address.port || 5672),
  vhost: path[0] ?? '/',
  username: process.env.MIXPANEL_QUEUE_USERNAME ?? 'guest',
  password: process.env.MIXPANEL_QUEUE_PASSWORD ?? 'guest',
})
const channel = await connection.createConfirmChannel()
channel.on('return', () => { throw new Error(`There is no queue ${queue}.`) })

const events = ['Signed Up', 'Invited a Friend'].map(event => ({
  event,
  properties: { time: Math.floor(Date.now() / 1000), distinct_id: 'ann', $insert_id: randomUUID() },
}))
channel.sendToQueue(queue, Buffer.from(events.map(event => JSON.stringify(event)).join('\n')), {
  contentType: 'application/x-ndjson',
  persistent: true,
  mandatory: true,
  messageId: randomUUID(),
  headers: { 'mixpanel-version': 1 },
})
await channel.waitForConfirms() // throws unless the broker has confirmed the messages
await connection.close()
console.log(`${events.length} events are in ${queue}.`)
