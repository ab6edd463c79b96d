// The former majors, installed beside the current ones; for what the tests do, their types are the same.
declare module 'koa2' {
  export { default } from 'koa'
}
declare module 'express4' {
  export { default } from 'express'
}
