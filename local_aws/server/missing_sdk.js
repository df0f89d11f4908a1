// Lambda's Node.js runtime includes the AWS SDK; this server was started without one. Say so when a function needs it.
const Module = require("node:module");

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  try {
    return resolve.call(this, request, ...rest);
  } catch (error) {
    if (request.startsWith("@aws-sdk/")) {
      error.message = `local_aws has no ${request}: install it with npm, and start local_aws with --node-modules FOLDER`;
    }
    throw error;
  }
};
