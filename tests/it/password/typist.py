import json, os, pty, signal, sys, termios

answers, command = json.loads(sys.argv[1]), sys.argv[2:]
process, terminal = pty.fork()
if process == 0:
    # As in a terminal, also where the tests run in the background of a shell.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(command[0], command)
shown = b""
while True:
    try:
        piece = os.read(terminal, 1000)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if shown.endswith(b": ") and answers:
        os.write(terminal, (answers.pop(0) + "\n").encode())
_, status = os.waitpid(process, 0)
echo = termios.tcgetattr(terminal)[3] & termios.ECHO
print(shown.decode(), "echo is on" if echo else "echo is off")
sys.exit(os.waitstatus_to_exitcode(status))
