"""What is frozen into the VM: start-up, board, kernels. The application comes in a bank."""

freeze(".", ("_boot.py", "board.py"))
freeze("../../firmware", ("boot.py", "main.py"))
freeze("..", "kernels.py")
for part in ("crypto", "files", "mount", "raw_flash", "service"):
    freeze("..", "common/" + part + ".py")
