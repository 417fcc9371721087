# SPDX-License-Identifier: LGPL-2.1-or-later
# webrick.rb PORT: Ruby's server, stopped as in its manual; answers with its process id.
require 'webrick'

quiet = WEBrick::Log.new(File::NULL)
server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: ARGV[0].to_i, Logger: quiet,
                                 AccessLog: [])
server.mount_proc('/') { |_, response| response.body = "#{Process.pid}\n" }
trap('TERM') { server.shutdown }
server.start
